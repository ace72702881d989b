// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/terminal/keyboard.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace filterd::cli {

namespace {

// SIGPIPE, too: it must not end the process before the terminal is as it was.
sigset_t watched() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE})
        sigaddset(&signals, signal);
    return signals;
}

} // namespace

Keyboard::Keyboard() : terminal_(::isatty(STDIN_FILENO) == 1) {
    const auto signals = watched();
    sigprocmask(SIG_BLOCK, &signals, &formerSignals_);
    signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    takeTerminal();
}

Keyboard::~Keyboard() {
    giveTerminalBack();
    sigprocmask(SIG_SETMASK, &formerSignals_, nullptr);
}

// Returns whether the process is in the foreground. Another one may neither read from the terminal nor change
// it.
bool Keyboard::inForeground() const {
    const auto group = ::tcgetpgrp(STDIN_FILENO);
    return group < 0 || group == ::getpgrp(); // below 0: it is no terminal, or not the controlling one
}

void Keyboard::takeTerminal() {
    termios settings{};
    if (before_ || !terminal_ || !inForeground() || ::tcgetattr(STDIN_FILENO, &settings) < 0)
        return;
    before_ = settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
}

void Keyboard::giveTerminalBack() {
    if (before_ && inForeground())
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
    before_.reset();
}

// Ctrl-Z. What follows runs when the process goes on, perhaps in the background.
void Keyboard::stopForNow() {
    giveTerminalBack();
    ::kill(::getpid(), SIGSTOP);
    takeTerminal();
}

std::optional<char> Keyboard::readKey() {
    char key = 0;
    const auto got = ::read(STDIN_FILENO, &key, 1);
    if (got == 1)
        return key;
    ended_ = got == 0 || (errno != EINTR && errno != EAGAIN);
    return std::nullopt;
}

int Keyboard::readSignal() {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info)
        return 0;
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal != SIGTSTP)
        return signal;
    stopForNow();
    return 0;
}

Keyboard::Event Keyboard::wait(std::chrono::milliseconds patience) {
    takeTerminal(); // brought to the foreground
    std::array<pollfd, 2> sources{
        pollfd{signals_.get(), POLLIN, 0},
        pollfd{!ended_ && inForeground() ? STDIN_FILENO : -1, POLLIN, 0},
    };
    if (::poll(sources.data(), sources.size(), static_cast<int>(patience.count())) <= 0)
        return {};
    if (sources[0].revents != 0)
        return {.key = std::nullopt, .signal = readSignal()};
    return {.key = readKey()};
}

void dieOf(int signal) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    sigprocmask(SIG_UNBLOCK, &only, nullptr);
    std::abort(); // not reached: each of them ends a process
}

} // namespace filterd::cli
