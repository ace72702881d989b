// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/present_units.hpp"

#include <algorithm>
#include <iterator>

namespace filterd {

const UnitCgroup& PresentUnits::add(const UnitCgroup& unit) {
    const auto [place, isNew] = all_.emplace(unit.cgroup.id, unit);
    if (isNew)
        byPath_.emplace(unit.cgroup.path, unit.cgroup.id);
    return place->second;
}

void PresentUnits::scan() {
    for (const auto& unit : tree_.units())
        add(unit);
}

void PresentUnits::scanAnew() {
    all_.clear();
    byPath_.clear();
    scan();
}

std::optional<UnitCgroup> PresentUnits::remove(CgroupId cgroup) {
    const auto found = all_.find(cgroup);
    if (found == all_.end())
        return std::nullopt;
    auto unit = std::move(found->second);
    gone_.note(cgroup, unit.unit);
    const auto [first, last] = byPath_.equal_range(unit.cgroup.path);
    byPath_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == cgroup; }));
    all_.erase(found);
    return unit;
}

const UnitCgroup* PresentUnits::find(CgroupId cgroup) const {
    const auto found = all_.find(cgroup);
    return found == all_.end() ? nullptr : &found->second;
}

std::vector<CgroupId> PresentUnits::at(const std::string& path) const {
    std::vector<CgroupId> found;
    const auto [first, last] = byPath_.equal_range(path);
    std::transform(first, last, std::back_inserter(found), [](const auto& entry) { return entry.second; });
    return found;
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
