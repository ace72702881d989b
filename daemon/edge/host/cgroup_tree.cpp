// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/cgroup_tree.hpp"

#include "base/log.hpp"
#include "core/model/names.hpp"
#include "kernel/cgroup_directory.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace filterd {

namespace {

// `manager`: the user's manager that makes the units, with a / behind it; empty: the system's. `left`: how
// many directories of it are still looked at, since its user can make as many as they like.
void walk(int directory, const std::string& path, const std::string& manager, std::size_t& left,
          std::vector<UnitCgroup>& units) {
    for (auto& child : listUnits(directory)) {
        if (!manager.empty() && left-- == 0) {
            left = 0;
            return;
        }
        const auto below = path + "/" + child.name;
        const bool isManager = manager.empty() && userOfManager(child.unit);
        const bool isEntered = child.isSlice() || isManager;
        const auto managerBelow = isManager ? child.unit + "/" : manager;
        units.push_back({manager + child.unit, {child.id, below}});
        if (!isEntered)
            continue;
        std::size_t ofManager = kMaxUnitsOfManager;
        if (const auto inside = openDirectory(directory, child.name))
            walk(inside.get(), below, managerBelow, isManager ? ofManager : left, units);
        else if (errno != ENOENT)
            log::error(systemError("cannot list the cgroup " + below, errno), {log::cgroup(child.id.value)});
    }
}

bool climbs(const std::string& path) { return (path + "/").find("/../") != std::string::npos; }

} // namespace

Result<CgroupFs> CgroupFs::create(const std::string& root) {
    UniqueFd directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return failure(systemError("open " + root, errno));
    return CgroupFs(tidyPath(root), std::move(directory));
}

std::vector<UnitCgroup> CgroupFs::units() {
    std::vector<UnitCgroup> units;
    if (const auto root = find("/"))
        units.push_back({unitOfCgroupPath(root->path), *root});
    else
        log::error(root.error());
    std::size_t unlimited = 0;
    walk(rootDirectory_.get(), "", "", unlimited, units);
    return units;
}

Result<Cgroup> CgroupFs::find(const std::string& path) {
    if (!path.starts_with('/') || climbs(path))
        return failure(ErrorCode::InvalidName,
                       "'" + path + "' is no cgroup path, write it from the root and without '..'");
    auto below = tidyPath(path);
    if (below == root_ || below.starts_with(root_ + "/"))
        below.erase(0, root_.size());
    const auto directory = openCgroup(rootDirectory_.get(), below);
    if (!directory)
        return failure(directory.error());
    const auto id = idOfDirectory(directory->get());
    if (!id)
        return failure(systemError("stat " + root_ + below, errno));
    return Cgroup{*id, below.empty() ? "/" : below};
}

// By the file handle of its directory, which is nothing but the id. Where that is not allowed, by looking at
// all units.
Result<Cgroup> CgroupFs::find(CgroupId id) {
    const auto directory = openById(rootDirectory_.get(), id);
    if (!directory && (errno == EPERM || errno == EOPNOTSUPP))
        return findAmongUnits(id);
    const auto path = directory ? pathOf(directory.get()) : std::nullopt;
    if (!path || !path->starts_with(root_))
        return failure(ErrorCode::NoSuchCgroup, "no cgroup has the id " + std::to_string(id.value));
    return Cgroup{id, path->size() == root_.size() ? "/" : path->substr(root_.size())};
}

Result<Cgroup> CgroupFs::findAmongUnits(CgroupId id) {
    for (auto& unit : units())
        if (unit.cgroup.id == id)
            return std::move(unit.cgroup);
    return failure(ErrorCode::NoSuchCgroup, "no unit's cgroup has the id " + std::to_string(id.value));
}

Result<UniqueFd> CgroupFs::open(const Cgroup& cgroup) {
    return openCgroup(rootDirectory_.get(), tidyPath(cgroup.path), cgroup.id);
}

} // namespace filterd
