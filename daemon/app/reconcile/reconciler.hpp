// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Makes the kernel what an intent says: observe -> plan -> execute -> publish.

#include "app/holds/guard_keeper.hpp"
#include "app/intent/intent.hpp"
#include "app/reconcile/desires.hpp"
#include "app/reconcile/kernel_queues.hpp"
#include "app/reconcile/present_units.hpp"
#include "app/reconcile/resolution.hpp"
#include "app/reconcile/statistics.hpp"
#include "app/reconcile/unit_views.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace filterd {

// Told the paths of all cgroups that are no units' and that rules name, before they are looked for.
using FollowBareCgroups = std::function<void(const std::set<std::string>&)>;

class Reconciler final : private UnitAttacher {
  public:
    // Without a guard this kernel cannot hold units, and they are attached by signals alone.
    Reconciler(FilterKernel& kernel, CgroupTree& tree, Observer& observer, HeldStart guard,
               FollowBareCgroups follow);

    // Takes what is in the kernel and on cgroupfs as the starting point; returns the filters that are loaded.
    [[nodiscard]] Result<std::vector<FilterFacts>> observe();
    // The pins alone.
    [[nodiscard]] Result<std::vector<FilterFacts>> observePins();
    void setEnforcing(bool enforcing) { enforcing_ = enforcing; }
    [[nodiscard]] bool enforcing() const { return enforcing_; }

    // Brings every unit to what the intent says. Never leaves a unit that should be guarded without a queue:
    // what cannot be built is replaced as the rule's OnFailure says, and the unit's view tells.
    // An error only where the kernel waits, and then nothing was done.
    enum class Refused : std::uint8_t { TryAgain, Stay }; // queues that could not be built until now
    [[nodiscard]] Status reconcileAll(const Intent& intent, Refused refused = Refused::TryAgain);
    // The same for a change that must happen wholly or not at all (I2): the first queue that cannot be built,
    // or attachment that fails, is returned; the caller then calls reconcileAll() with what was before.
    // `bound`: what the user of this unit has added to its queue must be in force, too.
    [[nodiscard]] Status tryReconcileAll(const Intent& intent, const std::string& bound = {});

    void cgroupAppeared(const UnitCgroup& unit);
    // Returns what was known of the cgroup.
    std::optional<UnitCgroup> cgroupVanished(CgroupId cgroup);
    // Attaches what the guard holds, and has the holds end (I1).
    void attachHeld() { guard_.attachHeld(tree_, *this); }
    void attachHeld(const std::vector<CgroupId>& made) { guard_.attachNewlyHeld(made, tree_, *this); }
    void graceFinished();
    // Every unit is attached: a guard of an older version can go.
    void retireOlderGuard() { guard_.retirePredecessorLater(); }
    // Takes away the links of cgroups that the kernel has released.
    void collectReleased() { queues_.collectReleased(); }
    // Takes away what neither rules nor attachments nor `needed` need.
    void collect(std::set<FilterInstance> needed);

    // As reconciled last.
    [[nodiscard]] const Resolution& resolution() const { return resolution_; }
    [[nodiscard]] const PresentUnits& present() const { return present_; }
    [[nodiscard]] KernelQueues& queues() { return queues_; }
    [[nodiscard]] const KernelQueues& queues() const { return queues_; }
    [[nodiscard]] const UnitViews& views() const { return views_; }
    [[nodiscard]] const GuardKeeper& guard() const { return guard_; }
    // Why units that start are not held as the rules say; none if they are.
    [[nodiscard]] const std::optional<Error>& guardFault() const { return guardFault_; }
    [[nodiscard]] const Statistics& statistics() const { return statistics_; }

  private:
    [[nodiscard]] bool covers(const UnitCgroup& unit) const override;
    [[nodiscard]] bool settle(const UnitCgroup& unit) override;

    void findBareCgroups();
    // Resolves the rules, and builds the queues that there are not yet.
    [[nodiscard]] std::vector<FailedAction> buildQueues(const Intent& intent, bool stopAtBuildFailure);
    [[nodiscard]] Status installRules();
    // What the rules gave until now, to go back to.
    struct Earlier {
        Resolution resolution;
        std::map<QueueId, Error> broken;
    };
    [[nodiscard]] Earlier takeEarlier();
    [[nodiscard]] Status backTo(Earlier earlier);
    void buildPossible(const Intent& intent);
    [[nodiscard]] Desired desireReady(const Intent& intent) const;
    [[nodiscard]] Status buildAll(const Intent& intent, const std::string& bound);
    std::vector<FailedAction> run(Desired desired, bool stopAtBuildFailure);
    void reconcile(const UnitCgroup& unit);
    void publish(const UnitCgroup& unit);
    void publishAll();

    FilterKernel& kernel_;
    CgroupTree& tree_;
    FollowBareCgroups followBareCgroups_;
    Statistics statistics_;
    PresentUnits present_;
    KernelQueues queues_;
    GuardKeeper guard_;
    UnitViews views_;
    Resolution resolution_;
    std::map<QueueId, Error> broken_; // queues that could not be built
    AttachFailures attachFailures_;
    std::optional<Error> guardFault_;
    bool enforcing_ = true;
};

} // namespace filterd
