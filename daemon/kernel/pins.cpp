// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "kernel/pins.hpp"

#include "base/files.hpp"
#include "kernel/bpf_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace filterd::bpf {

namespace {

constexpr char kStagingMark = '~'; // in no filter's, queue's or link's name

bool isBpffs(const std::filesystem::path& path) {
    struct statfs info {};
    return ::statfs(path.c_str(), &info) == 0 && static_cast<unsigned long>(info.f_type) == BPF_FS_MAGIC;
}

Status removeStagingIn(const std::filesystem::path& directory) {
    std::error_code error;
    std::vector<std::filesystem::path> left;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error))
        if (isStaging(entry.path().filename()))
            left.push_back(entry.path());
    for (const auto& path : left) {
        auto removed = std::filesystem::is_directory(path) ? removeDirectory(path) : removeFile(path);
        if (!removed)
            return removed;
    }
    return {};
}

// A link that was to take another's place: the old one is in force and stays (I2). Where the old one's pin is
// gone, the new one is what filters (I1).
Status settleStagedLinks(const std::filesystem::path& links) {
    std::error_code error;
    std::vector<std::filesystem::path> left;
    for (const auto& entry : std::filesystem::directory_iterator(links, error))
        if (isStaging(entry.path().filename()))
            left.push_back(entry.path());
    for (const auto& path : left) {
        const auto target = links / path.filename().string().substr(1);
        auto settled = std::filesystem::exists(target) ? removeFile(path) : renamePin(path, target);
        if (!settled)
            return settled;
    }
    return {};
}

} // namespace

Status PinTree::prepare() const {
    if (!isBpffs(root.parent_path()))
        return failure(ErrorCode::BpffsMissing, "no BPF file system at " + root.parent_path().string() +
                                                    ": mount it (mount -t bpf bpf " +
                                                    root.parent_path().string() + ")");
    for (const auto& directory : {root, filters(), maps(), queues(), links()})
        if (auto made = makeDirectory(directory); !made)
            return made;
    return {};
}

Status PinTree::clean() const {
    if (auto settled = settleStagedLinks(links()); !settled)
        return settled;
    for (const auto& directory : {root, filters(), maps(), queues()})
        if (auto removed = removeStagingIn(directory); !removed)
            return removed;
    return {};
}

std::filesystem::path stagingOf(const std::filesystem::path& target) {
    return target.parent_path() / (kStagingMark + target.filename().string());
}

bool isStaging(const std::string& name) { return name.starts_with(kStagingMark); }

Status makeDirectory(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST)
        return failure(systemError("make the directory " + path.string(), errno));
    if (::chmod(path.c_str(), 0700) < 0)
        return failure(systemError("close the directory " + path.string() + " to others", errno));
    return {};
}

Result<std::vector<std::string>> namesIn(const std::filesystem::path& directory) {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error))
        if (auto name = entry->path().filename().string(); !isStaging(name))
            names.push_back(std::move(name));
    if (error)
        return failure(systemError("read the directory " + directory.string(), error.value()));
    std::sort(names.begin(), names.end());
    return names;
}

Status replacePin(int fd, const std::filesystem::path& target) {
    const auto staging = stagingOf(target);
    if (auto removed = removeFile(staging); !removed)
        return removed;
    if (auto pinned = pin(fd, staging); !pinned)
        return pinned;
    auto renamed = renamePin(staging, target);
    if (!renamed)
        ::unlink(staging.c_str());
    return renamed;
}

Status renamePin(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::rename(from.c_str(), to.c_str()) < 0)
        return failure(systemError("rename " + from.string() + " to " + to.string(), errno));
    return {};
}

Status removeDirectory(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error)
        return failure(systemError("remove the directory " + path.string(), error.value()));
    return {};
}

} // namespace filterd::bpf
