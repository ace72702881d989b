// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/password_agent.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace filterd::cli {

namespace {

constexpr const char* kAgent = "/usr/bin/pkttyagent";
constexpr int kPatience = 10'000; // milliseconds

bool isWanted() { return ::geteuid() != 0 && ::isatty(STDIN_FILENO) == 1 && ::access(kAgent, X_OK) == 0; }

// Between fork() and exec(): only what a signal handler might do, too.
[[noreturn]] void becomeAgent(pid_t parent, int ready, const char* readyText) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent)
        ::_exit(EXIT_FAILURE);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::fcntl(ready, F_SETFD, 0);
    ::execl(kAgent, kAgent, "--notify-fd", readyText, static_cast<char*>(nullptr));
    ::_exit(EXIT_FAILURE);
}

// The agent closes its end when it is registered, or when it has failed.
void await(int ready) {
    pollfd end{ready, POLLIN, 0};
    while (::poll(&end, 1, kPatience) < 0 && errno == EINTR)
        continue;
}

} // namespace

PasswordAgent::PasswordAgent() {
    std::array<int, 2> ends{};
    if (!isWanted() || ::pipe2(ends.data(), O_CLOEXEC) != 0)
        return;
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    const auto text = std::to_string(theirs.get());
    const pid_t parent = ::getpid();
    agent_ = ::fork();
    if (agent_ == 0)
        becomeAgent(parent, theirs.get(), text.c_str());
    theirs.reset();
    if (agent_ > 0)
        await(ours.get());
}

// It gives the terminal its settings back when it is told to end.
PasswordAgent::~PasswordAgent() {
    if (agent_ <= 0)
        return;
    ::kill(agent_, SIGTERM);
    ::kill(agent_, SIGCONT);
    while (::waitpid(agent_, nullptr, 0) < 0 && errno == EINTR)
        continue;
}

} // namespace filterd::cli
