// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Cgroups by their id: on cgroupfs a directory's inode number.

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace filterd::rescue {

// Where cgroup2 is mounted.
[[nodiscard]] std::filesystem::path findCgroupRoot();

// Every cgroup's path below the root, beginning with '/', by its id.
[[nodiscard]] std::unordered_map<std::uint64_t, std::string> cgroupsById(const std::filesystem::path& root);

// Opens by path and verifies the id. NoSuchCgroup if another one or none is there.
[[nodiscard]] Result<UniqueFd> openCgroup(const std::filesystem::path& root, const std::string& path,
                                          std::uint64_t id);

} // namespace filterd::rescue
