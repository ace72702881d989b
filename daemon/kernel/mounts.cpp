// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "kernel/mounts.hpp"

#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace filterd {

namespace {

bool isOctal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes blanks and backslashes of a path as \ooo.
std::string unescaped(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const bool isEscape =
            text.size() >= 4 && text[0] == '\\' && isOctal(text[1]) && isOctal(text[2]) && isOctal(text[3]);
        result += isEscape ? static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'))
                           : text[0];
        text.remove_prefix(isEscape ? 4 : 1);
    }
    return result;
}

// 41 31 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw
std::optional<Mount> mountOf(const std::string& line) {
    std::istringstream fields(line);
    std::string skipped, root, point, type;
    fields >> skipped >> skipped >> skipped >> root >> point;
    while (fields >> skipped && skipped != "-")
        continue;
    if (!(fields >> type))
        return std::nullopt;
    return Mount{unescaped(root), unescaped(point), type};
}

} // namespace

std::vector<Mount> mountsIn(const std::filesystem::path& mountinfo) {
    std::vector<Mount> mounts;
    std::ifstream lines(mountinfo);
    for (std::string line; std::getline(lines, line);)
        if (auto mount = mountOf(line))
            mounts.push_back(std::move(*mount));
    return mounts;
}

Result<std::string> cgroup2Mount(const std::filesystem::path& mountinfo) {
    std::optional<std::string> part;
    for (auto& mount : mountsIn(mountinfo)) {
        if (mount.type != "cgroup2")
            continue;
        if (mount.root == "/")
            return std::move(mount.point);
        if (!part)
            part = std::move(mount.point);
    }
    if (part)
        return *part;
    return failure(ErrorCode::Unsupported,
                   "no cgroup2 file system in " + mountinfo.string() + ", mount one on /sys/fs/cgroup");
}

} // namespace filterd
