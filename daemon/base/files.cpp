// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/files.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>

namespace filterd {

namespace {

Status writeAll(int fd, std::string_view content, const std::string& name) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failure(systemError("write " + name, errno));
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

} // namespace

Result<std::string> readFile(const std::filesystem::path& path, std::size_t limit) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd)
        return failure(systemError("open " + path.string(), errno));
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0)
        return failure(systemError("stat " + path.string(), errno));
    if (!S_ISREG(info.st_mode))
        return failure(ErrorCode::InvalidArgument, path.string() + " is not a regular file");

    std::string content;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failure(systemError("read " + path.string(), errno));
        if (got == 0)
            return content;
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > limit)
            return failure(ErrorCode::LimitExceeded,
                           path.string() + " is larger than " + std::to_string(limit) + " bytes");
    }
}

Status replaceFile(const std::filesystem::path& path, std::string_view content, mode_t mode) {
    const std::string stage = path.string() + ".new";
    const UniqueFd fd(::open(stage.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd)
        return failure(systemError("create " + stage, errno));
    if (::fchmod(fd.get(), mode) < 0)
        return failure(systemError("chmod " + stage, errno));
    if (auto written = writeAll(fd.get(), content, stage); !written)
        return written;
    if (::rename(stage.c_str(), path.c_str()) < 0)
        return failure(systemError("rename " + stage, errno));
    return {};
}

Status removeFile(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) < 0 && errno != ENOENT)
        return failure(systemError("remove " + path.string(), errno));
    return {};
}

Status touchFile(const std::filesystem::path& path) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file)
        return failure(systemError("create " + path.string(), errno));
    return {};
}

} // namespace filterd
