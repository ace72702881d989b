// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/present_units.hpp"

#include <algorithm>

namespace filterd {

void PresentUnits::scan() {
    for (const auto& unit : tree_.units())
        add(unit);
}

void PresentUnits::scanAnew() {
    all_.clear();
    scan();
}

std::optional<UnitCgroup> PresentUnits::remove(CgroupId cgroup) {
    const auto found = all_.find(cgroup);
    if (found == all_.end())
        return std::nullopt;
    auto unit = std::move(found->second);
    gone_.note(cgroup, unit.unit);
    all_.erase(found);
    return unit;
}

const UnitCgroup* PresentUnits::find(CgroupId cgroup) const {
    const auto found = all_.find(cgroup);
    return found == all_.end() ? nullptr : &found->second;
}

bool PresentUnits::hasCgroup(const std::string& unit) const {
    return std::any_of(all_.begin(), all_.end(),
                       [&](const auto& entry) { return entry.second.unit == unit; });
}

std::string PresentUnits::nameOf(CgroupId cgroup) const {
    if (const auto* unit = find(cgroup))
        return unit->unit;
    if (const auto* name = gone_.find(cgroup))
        return *name;
    const auto found = tree_.find(cgroup); // so new that nobody has told of it yet
    return found ? unitOfCgroupPath(found->path) : std::string();
}

} // namespace filterd
