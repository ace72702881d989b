// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps account of what of ours is in the kernel: it is read back (I5), changed by plans, and collected when
// nobody needs it any more.

#include "app/reconcile/executor.hpp"
#include "app/reconcile/present_units.hpp"

#include <map>
#include <set>
#include <vector>

namespace filterd {

// The queues that filter a cgroup now.
struct InForce {
    UnitCgroup unit;                            // a cgroup that is no system unit's has its path as name
    std::array<std::optional<Queue>, 2> queues; // by Direction; those that are known
    bool isKnown = true;                        // what is attached tells what its rule asked for
};

class KernelQueues {
  public:
    KernelQueues(FilterKernel& kernel, CgroupTree& tree, const PresentUnits& present, ActionCounts& counts)
        : kernel_(kernel), tree_(tree), present_(present), counts_(counts) {}

    // Reads the pins back; returns the filters that are loaded.
    [[nodiscard]] Result<std::vector<FilterFacts>> observe();
    void noteLoaded(const FilterInstance& filter) { observed_.addFilter(filter); }
    // Takes back a filter that no queue holds.
    void unload(const FilterInstance& filter);

    // Brings the desired units, and no others, to what is desired.
    std::vector<FailedAction> run(const Desired& desired, bool stopAtBuildFailure);
    // Takes away the links of released cgroups.
    void collectReleased();
    // Takes away queues and filters that are not among the desired ones.
    void collect(const Desired& desired);
    // The cgroups' links can be collected. True: there are some.
    bool release(const std::vector<CgroupId>& cgroups);
    // Looks at every link; true while some of cgroups that are gone are not released yet.
    bool lookForReleased();

    [[nodiscard]] const Observed& observed() const { return observed_; }
    // Returns the queue that is attached at a point; nothing if it is not known.
    [[nodiscard]] const Queue* attachedAt(AttachPoint point) const;
    // Every cgroup that is there and has something of ours attached.
    [[nodiscard]] std::vector<InForce> inForce() const;
    // The filters of all queues that are attached somewhere.
    [[nodiscard]] std::set<FilterName> attachedFilters() const;

  private:
    void logFailures(const std::vector<FailedAction>& failures) const;

    FilterKernel& kernel_;
    CgroupTree& tree_;
    const PresentUnits& present_;
    ActionCounts& counts_;
    Observed observed_;
    std::map<QueueId, Queue> contents_; // of the queues that are built, or are to be
};

} // namespace filterd
