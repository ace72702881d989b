// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/files/lineage.hpp"

#include "core/model/names.hpp"
#include "core/units/unit_place.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "kernel/mounts.hpp"

#include <algorithm>
#include <utility>

namespace filterd::cli {

namespace {

constexpr const char* kRootSlice = "-.slice";

// "/a.slice/a-b.slice/x.service" -> "/a.slice/a-b.slice", and so on up to "/".
std::vector<std::string> unitsAbove(std::string path) {
    std::vector<std::string> above;
    while (path.size() > 1) {
        path.erase(std::max<std::size_t>(path.rfind('/'), 1));
        if (path == "/" || path.empty())
            break;
        if (auto unit = unitOfCgroupPath(path); !unit.empty())
            above.push_back(std::move(unit));
    }
    above.emplace_back(kRootSlice);
    return above;
}

void addWithParents(std::vector<std::string>& above, const std::string& manager, const std::string& slice) {
    for (const auto& one : withSlicesAbove(slice))
        above.push_back(manager + one);
}

// As systemd would place it.
std::vector<std::string> expectedAbove(const std::string& name, const UnitRelations& units) {
    std::vector<std::string> above;
    const bool isOfUser = isOfUserManager(name);
    const auto slash = isOfUser ? name.find('/') + 1 : 0;
    const auto manager = name.substr(0, slash);
    const auto unit = name.substr(slash);
    addWithParents(above, manager, sliceOf(unit, units, isOfUser));
    if (isOfUser) {
        const auto service = manager.substr(0, manager.size() - 1);
        above.push_back(service);
        addWithParents(above, "", sliceOf(service, units, false));
    }
    if (name != kRootSlice)
        above.emplace_back(kRootSlice);
    return above;
}

std::vector<UnitCgroup> runningCgroups() {
    const auto mount = cgroup2Mount();
    auto tree = mount ? CgroupFs::create(*mount) : failure(mount.error());
    return tree ? tree->units() : std::vector<UnitCgroup>();
}

} // namespace

Lineage lineageOf(const std::string& name, const UnitRelations& units) {
    const auto running = runningCgroups();
    const auto own =
        std::find_if(running.begin(), running.end(), [&](const UnitCgroup& one) { return one.unit == name; });
    const auto path = name == kRootSlice || name == "/" ? std::string()
                      : name.starts_with('/')           ? name
                      : own != running.end()            ? own->cgroup.path
                                                        : std::string("?");
    Lineage lineage;
    if (path == "?")
        lineage.above = expectedAbove(name, units);
    else if (!path.empty())
        lineage.above = unitsAbove(path);
    for (const auto& one : running)
        if (one.cgroup.path.starts_with(path + "/"))
            lineage.below.push_back(one.unit);
    return lineage;
}

} // namespace filterd::cli
