// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/inotify.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/inotify.h>

namespace filterd {

namespace {

constexpr std::size_t kHelping = std::size_t{64} << 10;

void parseInto(std::vector<InotifyEvent>& events, const char* bytes, std::size_t size) {
    while (size >= sizeof(inotify_event)) {
        inotify_event header{};
        std::memcpy(&header, bytes, sizeof header);
        const char* name = bytes + sizeof header;
        events.push_back({header.wd, header.mask, std::string(name, ::strnlen(name, header.len))});
        const std::size_t length = sizeof header + header.len;
        bytes += length;
        size -= length;
    }
}

} // namespace

Result<Inotify> Inotify::create() {
    UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!fd)
        return failure(systemError("inotify_init1", errno));
    return Inotify(std::move(fd));
}

Result<int> Inotify::watch(int directory, std::uint32_t mask) const {
    const auto path = "/proc/self/fd/" + std::to_string(directory);
    const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), mask | IN_ONLYDIR);
    if (watch < 0)
        return failure(systemError("inotify_add_watch", errno));
    return watch;
}

void Inotify::forget(int watch) const { ::inotify_rm_watch(fd_.get(), watch); }

std::vector<InotifyEvent> Inotify::read() const {
    std::vector<InotifyEvent> events;
    std::array<char, kHelping> buffer{};
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got > 0)
        parseInto(events, buffer.data(), static_cast<std::size_t>(got));
    return events;
}

} // namespace filterd
