// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Where each cgroup is, whoever made it.

#include "rescue/rescue.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace filterd::rescue {

// Where cgroup2 is mounted, for the daemon as well, or where the roots say.
[[nodiscard]] Result<std::string> cgroupRoot(const Roots& roots);

// Every cgroup's path below the root, beginning with '/', by its id.
[[nodiscard]] std::unordered_map<std::uint64_t, std::string> cgroupsById(const std::filesystem::path& root);

} // namespace filterd::rescue
