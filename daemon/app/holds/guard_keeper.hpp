// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps the kernel's guard in step with the rules, and ends each hold once its unit's own links filter (I1).
// Without a guard every call does nothing: units are then attached by signals alone.

#include "app/holds/hold_counts.hpp"
#include "core/model/unit_cgroup.hpp"
#include "core/rules/resolve.hpp"
#include "ports/guard_port.hpp"
#include "ports/ports.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace filterd {

// A name or pattern that the guard is to hold, and the queues of what it matches.
struct GuardedName {
    const Glob* glob;
    const RuleQueues* queues;
};

// Attaches the queues of units.
class UnitAttacher {
  public:
    virtual ~UnitAttacher() = default;
    [[nodiscard]] virtual bool covers(const UnitCgroup& unit) const = 0;
    // Attaches the queues of the unit's rule. True: its own links filter as the rule says, or nothing is to
    // filter it, so that it needs no hold any more.
    [[nodiscard]] virtual bool settle(const UnitCgroup& unit) = 0;
};

// The guard of this kernel, if it can have one.
struct HeldStart {
    std::unique_ptr<GuardPort> guard = {}; // none: this kernel cannot hold units, `support` tells why
    GuardSupport support{.reason = "not tried yet"};
};

class GuardKeeper {
  public:
    GuardKeeper(FilterKernel& kernel, HoldCounts& counts, HeldStart held)
        : kernel_(kernel), counts_(counts), guard_(std::move(held.guard)), support_(std::move(held.support)) {
    }

    [[nodiscard]] GuardPort* port() const { return guard_.get(); }
    [[nodiscard]] const GuardSupport& support() const { return support_; }
    // Returns whether units that start now are held.
    [[nodiscard]] bool inForce() const { return guard_ != nullptr && installed_ && !installed_->empty(); }

    // Brings the names into the kernel, in order; the first match decides. Their queues must have been built.
    // All of it or nothing (I2). True: what is held has changed; look for units that were made before.
    [[nodiscard]] Result<bool> installRules(const std::vector<GuardedName>& names);

    // Has what the guard holds attached, all units after an overflow, and ends the holds later (I1).
    void attachHeld(CgroupTree& tree, UnitAttacher& attacher);
    // The same of cgroups that were made since, without a look at all that is held where that is not needed.
    void attachNewlyHeld(const std::vector<CgroupId>& made, CgroupTree& tree, UnitAttacher& attacher);
    // Every unit is attached: the guard of an older build can go.
    void retirePredecessorLater();
    // True: more units of a manager that is cut off were made; attachHeld() again.
    bool graceFinished();

  private:
    // The slots of two queues, by direction.
    using Pair = std::array<std::optional<QueueId>, 2>;
    using Names = std::vector<std::pair<std::string, std::optional<QueueSlot>>>;

    [[nodiscard]] Result<QueueSlot> slotOf(const RuleQueues& queues, const Pair& pair, std::set<Pair>& made);
    [[nodiscard]] Status fill(QueueSlot slot, const RuleQueues& queues);
    [[nodiscard]] Status fill(QueueSlot slot, Direction direction, const std::optional<NamedQueue>& queue);
    void freeSlots(const std::set<Pair>& pairs);
    void freeUnusedSlots();

    void attachEach(const std::vector<Hold>& holds, CgroupTree& tree, UnitAttacher& attacher);
    void attachAll(CgroupTree& tree, UnitAttacher& attacher);
    void countHold(const Hold& hold);
    // Holds that nobody has been told to end yet.
    [[nodiscard]] std::vector<Hold> holdsToAttach();
    // Those of the cgroups; none if one of them is not held, as when it did not fit.
    [[nodiscard]] std::optional<std::vector<Hold>> holdsToAttach(const std::vector<CgroupId>& made);
    // Cgroups whose own links filter by now, or that nothing is to filter: their holds end after a grace
    // period.
    void releaseLater(const std::set<CgroupId>& cgroups);
    // A user's manager that is cut off, after every unit of it is attached.
    void endCutOffLater(const Hold& manager);
    // Units were made that did not fit: attach every unit there is, then endOverflowLater().
    [[nodiscard]] bool overflows();
    void endOverflowLater();
    bool endHold(CgroupId cgroup);

    FilterKernel& kernel_;
    HoldCounts& counts_;
    std::unique_ptr<GuardPort> guard_;
    GuardSupport support_;
    std::map<Pair, QueueSlot> slots_;
    std::optional<Names> installed_; // none: not known what is in the kernel
    std::set<CgroupId> releasing_;   // waiting for a grace period
    bool areSomeLeft_ = false;       // that could not be attached, and are tried again with the next
    std::multimap<GraceTicket, CgroupId> releases_;
    std::map<CgroupId, Hold> cutOffs_;      // of those, users' managers that are cut off
    std::optional<GuardOverflow> overflow_; // being taken care of
    std::optional<GraceTicket> overflowEnd_;
    std::optional<GraceTicket> retirement_;
};

} // namespace filterd
