// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/pin_watch.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/inotify.h>

namespace filterd {

namespace {

constexpr std::uint32_t kRemoved = IN_DELETE | IN_MOVED_FROM;
constexpr std::uint32_t kUnknown = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_Q_OVERFLOW;

} // namespace

Result<PinWatch> PinWatch::create(std::filesystem::path directory) {
    auto inotify = Inotify::create();
    if (!inotify)
        return failure(inotify.error());
    PinWatch created(std::move(directory), std::move(*inotify));
    if (auto followed = created.follow(); !followed)
        return failure(followed.error());
    return created;
}

Status PinWatch::follow() {
    const UniqueFd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return failure(systemError("open " + directory_.string(), errno));
    const auto watch = inotify_.watch(directory.get(), kRemoved | IN_DELETE_SELF | IN_MOVE_SELF);
    if (!watch)
        return failure(watch.error());
    watch_ = *watch;
    return {};
}

// Ignores what a watch says that was left for another directory.
PinWatch::Removed PinWatch::dispatch() {
    Removed removed;
    for (auto& event : inotify_.read()) {
        const bool isLost = (event.mask & IN_Q_OVERFLOW) != 0;
        if (event.watch != watch_ && !isLost)
            continue;
        removed.anything = removed.anything || (event.mask & kUnknown) != 0;
        if ((event.mask & kRemoved) != 0)
            removed.names.push_back(std::move(event.name));
    }
    return removed;
}

} // namespace filterd
