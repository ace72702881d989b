// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "rescue/cgroups.hpp"

#include "kernel/mounts.hpp"

#include <sys/stat.h>
#include <vector>

namespace filterd::rescue {

Result<std::string> cgroupRoot(const Roots& roots) {
    return roots.cgroups.empty() ? cgroup2Mount() : roots.cgroups.string();
}

std::unordered_map<std::uint64_t, std::string> cgroupsById(const std::filesystem::path& root) {
    std::unordered_map<std::uint64_t, std::string> found;
    std::vector<std::filesystem::path> rest{root};
    while (!rest.empty()) {
        const auto path = std::move(rest.back());
        rest.pop_back();
        struct stat info {};
        if (::lstat(path.c_str(), &info) < 0 || !S_ISDIR(info.st_mode))
            continue;
        found.emplace(info.st_ino, path == root ? "/" : path.string().substr(root.string().size()));
        // A cgroup that ends while it is read must not hide the others.
        std::error_code error;
        std::filesystem::directory_iterator at(path, error);
        for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
            std::error_code vanished;
            if (at->symlink_status(vanished).type() == std::filesystem::file_type::directory)
                rest.push_back(at->path());
        }
    }
    return found;
}

} // namespace filterd::rescue
