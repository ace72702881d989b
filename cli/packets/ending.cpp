// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/packets/ending.hpp"

#include <csignal>
#include <cstdint>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace filterd::cli {

Ending::Ending() {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&ends, signal);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    signals_.reset(::signalfd(-1, &ends, SFD_CLOEXEC));
    wanted_.reset(::eventfd(0, EFD_CLOEXEC));
    both_.reset(::epoll_create1(EPOLL_CLOEXEC));
    for (const int fd : {signals_.get(), wanted_.get()}) {
        epoll_event event{};
        event.events = EPOLLIN;
        ::epoll_ctl(both_.get(), EPOLL_CTL_ADD, fd, &event);
    }
}

void Ending::now() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wanted_.get(), &one, sizeof one));
}

} // namespace filterd::cli
