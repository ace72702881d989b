// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "kernel/cgroup_directory.hpp"

#include "core/model/names.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>

namespace filterd {

namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

} // namespace

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

Result<UniqueFd> openCgroup(int root, const std::string& path) {
    auto directory = openDirectory(root, "." + path);
    if (directory)
        return directory;
    const int error = errno;
    const auto place = pathOf(root).value_or("") + path;
    if (error == ENOENT || error == ENOTDIR || error == ENODEV || error == ENAMETOOLONG)
        return failure(ErrorCode::NoSuchCgroup, "no cgroup at " + place);
    return failure(systemError("open " + place, error));
}

Result<UniqueFd> openCgroup(int root, const std::string& path, CgroupId id) {
    auto directory = openCgroup(root, path);
    if (directory && idOfDirectory(directory->get()) != id)
        return failure(ErrorCode::NoSuchCgroup,
                       "another cgroup is at " + pathOf(root).value_or("") + path + " by now");
    return directory;
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
