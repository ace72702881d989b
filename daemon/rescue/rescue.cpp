// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "rescue/rescue.hpp"

#include "rescue/run_directory.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

namespace filterd::rescue {

namespace {

constexpr auto kLockPatience = std::chrono::seconds(10);
constexpr auto kLockPause = std::chrono::milliseconds(50);

} // namespace

bool isOff(const Roots& roots) {
    struct stat info {};
    return ::lstat(roots.flag().c_str(), &info) == 0;
}

Result<UniqueFd> lockRun(const Roots& roots) {
    if (::mkdir(roots.run.c_str(), 0755) < 0 && errno != EEXIST)
        return failure(systemError("create " + roots.run.string(), errno));
    const auto path = roots.run / "lock";
    UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock)
        return failure(systemError("open " + path.string(), errno));
    const auto deadline = std::chrono::steady_clock::now() + kLockPatience;
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return failure(systemError("lock " + path.string(), errno));
        if (std::chrono::steady_clock::now() > deadline)
            return failure(ErrorCode::KernelRefused, path.string() +
                                                         " is locked: another filterctl off or on "
                                                         "has been at work for ten seconds");
        std::this_thread::sleep_for(kLockPause);
    }
    return lock;
}

} // namespace filterd::rescue
