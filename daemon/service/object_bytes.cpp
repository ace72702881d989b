// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/object_bytes.hpp"

#include "base/unique_fd.hpp"
#include "core/ebpf/builtin.hpp"
#include "ports/ports.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace filterd {

Result<ElfObject> readObject(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) < 0)
        return failure(systemError("stat the object", errno));
    if (!S_ISREG(info.st_mode))
        return failure(ErrorCode::InvalidArgument, "the object is not a regular file");
    if (static_cast<std::size_t>(info.st_size) > kMaxObjectSize)
        return failure(ErrorCode::LimitExceeded, "the object is larger than 16 MiB");
    std::vector<std::byte> bytes(static_cast<std::size_t>(info.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failure(systemError("read the object", errno));
        if (got == 0)
            break;
        done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return ElfObject{std::move(bytes)};
}

Result<FilterContent> readContent(const std::string& path) {
    if (path.starts_with(kBuiltinPrefix))
        return BuiltinFilter{path.substr(kBuiltinPrefix.size())};
    if (!path.starts_with('/'))
        return failure(ErrorCode::InvalidArgument, "'" + path + "' is not an absolute path");
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd)
        return failure(systemError("open " + path, errno));
    auto object = readObject(fd.get());
    if (!object)
        return failure(object.error().context(path));
    return std::move(*object);
}

} // namespace filterd
