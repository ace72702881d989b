// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "memory_limit.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sys/mount.h>
#include <unistd.h>
#include <vector>

namespace filterd::test {

namespace fs = std::filesystem;

namespace {

bool writeTo(const fs::path& file, const std::string& text) {
    std::ofstream stream(file);
    stream << text << std::flush;
    return static_cast<bool>(stream);
}

} // namespace

// Returns the controller of cgroup2 if it has one there, else that of a hierarchy of its own.
MemoryLimit::Controller MemoryLimit::controller() {
    const fs::path unified = "/sys/fs/cgroup";
    std::ifstream file(unified / "cgroup.controllers");
    for (std::string name; file >> name;)
        if (name == "memory" && writeTo(unified / "cgroup.subtree_control", "+memory"))
            return {unified, "memory.max", "memory.current"};
    std::string directory = (fs::temp_directory_path() / "filterd-memory-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr)
        return {};
    mounted_ = directory;
    if (::mount("cgroup", directory.c_str(), "cgroup", 0, "memory") == 0)
        return {mounted_, "memory.limit_in_bytes", "memory.usage_in_bytes"};
    ::rmdir(directory.c_str());
    mounted_.clear();
    return {};
}

MemoryLimit::MemoryLimit(std::size_t bytes) {
    const auto [mount, limit, used] = controller();
    if (mount.empty()) {
        problem_ = "no memory controller of cgroups can be used here";
        return;
    }
    parent_ = mount;
    group_ = mount / ("filterd-limit-" + std::to_string(::getpid()));
    usedFile_ = group_ / used;
    std::error_code error;
    if (!fs::create_directory(group_, error) || !writeTo(group_ / limit, std::to_string(bytes)) ||
        !writeTo(group_ / "cgroup.procs", "0"))
        problem_ = "no cgroup with a memory limit can be made in " + mount.string();
}

std::size_t MemoryLimit::used() const {
    std::size_t bytes = 0;
    std::ifstream(usedFile_) >> bytes;
    return bytes;
}

MemoryLimit::~MemoryLimit() {
    if (!group_.empty()) {
        writeTo(parent_ / "cgroup.procs", "0");
        ::rmdir(group_.c_str());
    }
    if (!mounted_.empty()) {
        ::umount2(mounted_.c_str(), MNT_DETACH);
        ::rmdir(mounted_.c_str());
    }
}

CachedFile::CachedFile(const fs::path& directory, std::size_t megabytes)
    : path_((directory / "filterd-cached-XXXXXX").string()), file_(::mkstemp(path_.data())) {
    const std::vector<char> block(1U << 20, 'x');
    for (std::size_t done = 0; done < megabytes; ++done)
        EXPECT_EQ(::write(file_.get(), block.data(), block.size()), static_cast<ssize_t>(block.size()))
            << path_ << ": " << std::strerror(errno);
    EXPECT_EQ(::fsync(file_.get()), 0)
        << path_; // what is not yet written is not cached, but waits for the disk
}

CachedFile::~CachedFile() { ::unlink(path_.c_str()); }

} // namespace filterd::test
