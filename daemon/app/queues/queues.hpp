// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The queues that are set on the bus: in force wholly, or everything as before (I2).

#include "app/commit/units.hpp"
#include "app/filters/file_filters.hpp"
#include "app/intent/rule_edits.hpp"
#include "app/queues/queue_edit.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace filterd {

class Queues {
  public:
    Queues(CgroupTree& tree, Enforcement& inForce, FileFilters& files, Units& units)
        : tree_(tree), inForce_(inForce), files_(files), units_(units) {}

    // Sets a rule for one target (a unit, a glob, a cgroup path). With a deadline (milliseconds of
    // CLOCK_BOOTTIME) it is on trial: what was set before comes back then unless it is confirmed.
    [[nodiscard]] Status set(Rule rule, std::optional<std::uint64_t> deadline = {});
    [[nodiscard]] Status reset(const std::string& target);
    // The same for a user and a unit of their own manager: they add filters whose .filter files say
    // AllowUsers=yes. Errors: also AccessDenied when one does not.
    [[nodiscard]] Status setOfUser(Rule rule);
    [[nodiscard]] Status resetOfUser(const std::string& unit);

    [[nodiscard]] Status confirm(const std::string& target);
    // Takes back every queue whose deadline has come.
    [[nodiscard]] Status endTrials(std::uint64_t now);

    // Change the queues that the unit has by its rule, whatever that is, and make them a rule of its own, in
    // one step. The source of the rule that it had; empty: none. A running trial goes on unless there is a
    // deadline. Errors: those of set() and setOfUser(); NoSuchFilter, InvalidArgument, NoSuchUnitRule.
    [[nodiscard]] Result<std::string> attach(const QueueEdit& edit);
    [[nodiscard]] Result<std::string> detach(const QueueEdit& edit);

    // The unit's queues are up when this returns, or will be from its first packet on if it has no cgroup
    // yet. Errors: InvalidName, NoSuchUnitRule (none covers it), NoSuchUnit (it has no cgroup, and no guard
    // waits for it), or why it is held or failed, or would be.
    [[nodiscard]] Status ensure(const std::string& unit);

  private:
    [[nodiscard]] Status setRule(const Rule& rule, std::optional<std::uint64_t> deadline);
    [[nodiscard]] Status editRules(Intent& next, const Rule& rule, std::optional<std::uint64_t> deadline);
    [[nodiscard]] Status loadFor(Intent& next, const Rule& rule);
    [[nodiscard]] Status commitReset(Intent next, const std::string& what, const std::string& unit);
    [[nodiscard]] Result<EditedUnit> unitOf(const QueueEdit& edit) const;
    using Change = Status (*)(EditedRule&, const QueueEdit&);
    [[nodiscard]] Result<std::string> change(const QueueEdit& edit, Change apply);
    [[nodiscard]] Status finish(const QueueEdit& edit, EditedRule edited);
    [[nodiscard]] Status ensureStart(const std::string& unit) const;

    CgroupTree& tree_;
    Enforcement& inForce_;
    FileFilters& files_;
    Units& units_;
};

} // namespace filterd
