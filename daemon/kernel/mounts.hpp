// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what is mounted where, as mountinfo of proc(5) tells it.

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace filterd {

struct Mount {
    std::string root; // the directory of the file system that is mounted
    std::string point;
    std::string type;
};

// The mounts that can be read; what is no line of mountinfo is left out.
[[nodiscard]] std::vector<Mount> mountsIn(const std::filesystem::path& mountinfo = "/proc/self/mountinfo");

// Where cgroup2 is mounted: the mount of the whole tree before one of a part. Daemon and `off` both ask here,
// so that what one attaches, the other finds.
[[nodiscard]] Result<std::string>
cgroup2Mount(const std::filesystem::path& mountinfo = "/proc/self/mountinfo");

} // namespace filterd
