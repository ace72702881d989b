// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Units and cgroups: that they come and go, and what is known of those that rules cover.

#include "app/commit/enforcement.hpp"
#include "app/intent/user_rules.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace filterd {

using CountersByDirection = std::vector<std::pair<Direction, QueueCounters>>;

class Units {
  public:
    Units(FilterKernel& kernel, CgroupTree& tree, Enforcement& inForce, UserExists userExists)
        : kernel_(kernel), tree_(tree), inForce_(inForce), userExists_(std::move(userExists)) {}

    void appeared(const UnitCgroup& unit);
    // Returns the unit whose last cgroup it was, if it holds references: they end when the unit does.
    std::optional<std::string> vanished(CgroupId cgroup);
    // The same for cgroups at a path that are gone without a word of it: only the guard, say, has told of
    // them.
    std::optional<std::string> missed(const std::string& path);
    // Returns whether the unit has a cgroup. It may ask before its cgroup was told of.
    [[nodiscard]] bool seek(const std::string& unit);

    [[nodiscard]] const std::map<std::string, UnitView>& all() const { return views().all(); }
    [[nodiscard]] const UnitView* find(const std::string& unit) const { return views().find(unit); }
    // By the unit's name or the path of its cgroup. NoSuchUnit tells why it is none.
    [[nodiscard]] Result<const UnitView*> guarded(const std::string& nameOrPath) const;
    [[nodiscard]] bool covers(const std::string& unit) const;
    // The name under which systemd knows the unit, of whatever alias.
    [[nodiscard]] std::string primaryName(const std::string& unit) const;
    // A cgroup's path as rules name it, an alias as the unit's name; anything else as it is.
    [[nodiscard]] std::string seenPath(const std::string& target) const;
    // The name that drops of a unit are told by: an alias stands for its unit. Errors: InvalidName.
    [[nodiscard]] Result<std::string> nameForDrops(const std::string& unit) const;

    // Returns what the attached queues of a unit have counted. Errors: NoSuchUnit.
    [[nodiscard]] Result<CountersByDirection> counters(const std::string& unit) const;
    // The same of a unit in view, without the queues whose counters cannot be read.
    [[nodiscard]] CountersByDirection readableCounters(const UnitView& unit) const;

  private:
    [[nodiscard]] const UnitViews& views() const { return inForce_.reconciler().views(); }
    void tellFiltersFor(const UnitCgroup& unit);
    void reviewUsers();

    FilterKernel& kernel_;
    CgroupTree& tree_;
    Enforcement& inForce_;
    UserExists userExists_;
};

} // namespace filterd
