// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/switch_watch.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace filterd {

namespace {

constexpr std::uint32_t kMask =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr const char* kFlagFile = "off";

bool isThere(const std::filesystem::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

} // namespace

Result<SwitchWatch> SwitchWatch::create(std::filesystem::path directory) {
    auto inotify = Inotify::create();
    if (!inotify)
        return failure(inotify.error());
    SwitchWatch created(std::move(directory), std::move(*inotify));
    if (auto followed = created.follow(); !followed)
        return failure(followed.error());
    created.enforcing_ = !isThere(created.directory_ / kFlagFile);
    return created;
}

bool SwitchWatch::dispatch() {
    bool lostDirectory = false;
    for (const auto& event : inotify_.read())
        if (event.watch == watch_ && (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0)
            lostDirectory = true;
    if (lostDirectory)
        if (const auto followed = follow(); !followed)
            log::error(followed.error().context("cannot follow the off switch"));
    const bool before = enforcing_;
    enforcing_ = !isThere(directory_ / kFlagFile);
    return enforcing_ != before;
}

Status SwitchWatch::follow() {
    if (::mkdir(directory_.c_str(), 0755) < 0 && errno != EEXIST)
        return failure(systemError("mkdir " + directory_.string(), errno));
    const UniqueFd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return failure(systemError("open " + directory_.string(), errno));
    const auto watch = inotify_.watch(directory.get(), kMask);
    if (!watch)
        return failure(watch.error());
    if (watch_ >= 0 && watch_ != *watch)
        inotify_.forget(watch_);
    watch_ = *watch;
    return {};
}

} // namespace filterd
