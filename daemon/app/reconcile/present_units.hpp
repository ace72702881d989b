// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Which units' cgroups are there, and the names of those that were.

#include "core/model/recent_names.hpp"
#include "ports/ports.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

class PresentUnits {
  public:
    explicit PresentUnits(CgroupTree& tree) : tree_(tree) {}

    // Adds the units of the tree that are not known yet.
    void scan();
    // The same, and forgets all others.
    void scanAnew();
    // Adds a cgroup unless it is known, and returns what is known of it.
    const UnitCgroup& add(const UnitCgroup& unit);
    // Returns what was known of the cgroup.
    std::optional<UnitCgroup> remove(CgroupId cgroup);

    // Units' cgroups, and others that a rule names.
    [[nodiscard]] const std::map<CgroupId, UnitCgroup>& all() const { return all_; }
    [[nodiscard]] const UnitCgroup* find(CgroupId cgroup) const;
    [[nodiscard]] bool contains(CgroupId cgroup) const { return all_.contains(cgroup); }
    // Returns the cgroups that are known at a path: more than one if the end of some was not told.
    [[nodiscard]] std::vector<CgroupId> at(const std::string& path) const;
    [[nodiscard]] bool hasCgroup(const std::string& unit) const;
    // The unit whose cgroup it is, or was: sockets of a removed cgroup may live on. Empty if nobody knows.
    [[nodiscard]] std::string nameOf(CgroupId cgroup) const;

  private:
    CgroupTree& tree_;
    std::map<CgroupId, UnitCgroup> all_;
    std::multimap<std::string, CgroupId> byPath_;
    RecentNames<CgroupId> gone_;
};

} // namespace filterd
