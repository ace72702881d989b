// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "rescue/cgroups.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <linux/magic.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <vector>

namespace filterd::rescue {

namespace {

constexpr const char* kUsualRoot = "/sys/fs/cgroup";

bool isCgroup2(const char* path) {
    struct statfs info {};
    return ::statfs(path, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

// The mount point in a line of mountinfo(5), if that mount is a cgroup2.
std::string mountPointOf(const std::string& line) {
    std::istringstream fields(line);
    std::string field;
    std::string mountPoint;
    for (int number = 1; fields >> field; ++number) {
        if (number == 5)
            mountPoint = field;
        if (field == "-")
            return fields >> field && field == "cgroup2" ? mountPoint : std::string();
    }
    return {};
}

} // namespace

std::filesystem::path findCgroupRoot() {
    if (isCgroup2(kUsualRoot))
        return kUsualRoot;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);)
        if (auto found = mountPointOf(line); !found.empty())
            return found;
    return kUsualRoot;
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

Result<UniqueFd> openCgroup(const std::filesystem::path& root, const std::string& path, std::uint64_t id) {
    const std::string full = root.string() + path;
    UniqueFd fd(::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd)
        return failure(errno == ENOENT ? Error{ErrorCode::NoSuchCgroup, full + " does not exist"}
                                       : systemError("open " + full, errno));
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0)
        return failure(systemError("stat " + full, errno));
    if (info.st_ino != id)
        return failure(ErrorCode::NoSuchCgroup, full + " is another cgroup by now");
    return fd;
}

} // namespace filterd::rescue
