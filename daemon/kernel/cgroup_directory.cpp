// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "kernel/cgroup_directory.hpp"

#include "core/model/names.hpp"

#include <array>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sstream>
#include <sys/stat.h>

namespace filterd {

namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

// The kernel writes blanks and backslashes of a path as \ooo.
std::string unescape(const std::string& text) {
    std::string path;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '\\' && i + 3 < text.size()) {
            path += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            path += text[i];
        }
    return path;
}

} // namespace

Result<std::string> cgroup2Mount(const std::filesystem::path& mountinfo) {
    std::ifstream file(mountinfo);
    std::optional<std::string> part;
    for (std::string line; std::getline(file, line);) {
        // 41 31 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw
        std::istringstream fields(line);
        std::string skipped, root, mountPoint, type;
        fields >> skipped >> skipped >> skipped >> root >> mountPoint;
        while (fields >> skipped && skipped != "-")
            continue;
        if (!(fields >> type) || type != "cgroup2")
            continue;
        if (root == "/")
            return unescape(mountPoint);
        if (!part)
            part = unescape(mountPoint);
    }
    if (part)
        return *part;
    return failure(ErrorCode::Unsupported,
                   "no cgroup2 file system in " + mountinfo.string() + ", mount one on /sys/fs/cgroup");
}

UniqueFd openDirectory(int parent, const std::string& path) {
    return UniqueFd(::openat(parent, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

// A directory's handle on cgroupfs is the cgroup's id (FILEID_KERNFS in the kernel's exportfs.h).
UniqueFd openById(int root, CgroupId id) {
    constexpr int kKernfsHandle = 0xfe;
    alignas(file_handle) std::array<unsigned char, sizeof(file_handle) + sizeof id.value> buffer{};
    file_handle head{};
    head.handle_bytes = sizeof id.value;
    head.handle_type = kKernfsHandle;
    std::memcpy(buffer.data(), &head, sizeof head);
    std::memcpy(buffer.data() + sizeof head, &id.value, sizeof id.value);
    return UniqueFd(::open_by_handle_at(root, reinterpret_cast<file_handle*>(buffer.data()),
                                        O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::optional<std::string> pathOf(int directory) {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(directory), error);
    struct stat here {};
    struct stat there {};
    if (error || ::fstat(directory, &here) < 0 || ::stat(path.c_str(), &there) < 0 ||
        here.st_ino != there.st_ino)
        return std::nullopt;
    return path.string();
}

std::optional<CgroupId> idOfDirectory(int directory) {
    struct stat info {};
    if (::fstat(directory, &info) < 0)
        return std::nullopt;
    return CgroupId{info.st_ino};
}

std::vector<UnitDirectory> listUnits(int directory) {
    std::vector<UnitDirectory> found;
    UniqueFd own = openDirectory(directory, "."); // a reading position of its own
    if (!own)
        return found;
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own.get()));
    if (!stream)
        return found;
    static_cast<void>(own.release());
    while (const dirent* entry = ::readdir(stream.get())) {
        if (entry->d_type != DT_DIR)
            continue;
        std::string name = entry->d_name;
        auto unit = unitOfCgroupName(name);
        if (isUnitName(unit))
            found.push_back({std::move(name), std::move(unit), CgroupId{entry->d_ino}});
    }
    return found;
}

} // namespace filterd
