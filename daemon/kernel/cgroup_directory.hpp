// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what one directory on cgroupfs tells.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/model/model.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// Limits the units of one user's manager: more are not looked at. The guard tells of what a rule covers
// nevertheless.
inline constexpr std::size_t kMaxUnitsOfManager = 1024;

// A unit's directory within its slice.
struct UnitDirectory {
    std::string name; // of the directory, which systemd may have escaped
    std::string unit;
    CgroupId id;

    [[nodiscard]] bool isSlice() const { return unit.ends_with(".slice"); }
};

// Relative to an open directory, never through a link. The descriptor is invalid and errno says why if none.
[[nodiscard]] UniqueFd openDirectory(int parent, const std::string& path);

// The directory of a cgroup on the mount that `root` is on. Invalid and errno says why if none, EPERM if this
// process may not open by handle.
[[nodiscard]] UniqueFd openById(int root, CgroupId id);

// Where an open directory is; none if it is removed.
[[nodiscard]] std::optional<std::string> pathOf(int directory);

// The inode of a directory on cgroup2 is the cgroup's id.
[[nodiscard]] std::optional<CgroupId> idOfDirectory(int directory);

// The cgroup at `path` below the open root, which begins with '/' or is empty. Errors: NoSuchCgroup when none
// is there, or with an id another one.
[[nodiscard]] Result<UniqueFd> openCgroup(int root, const std::string& path);
[[nodiscard]] Result<UniqueFd> openCgroup(int root, const std::string& path, CgroupId id);

// Lists those directories of the open directory that are named after a unit.
[[nodiscard]] std::vector<UnitDirectory> listUnits(int directory);

} // namespace filterd
