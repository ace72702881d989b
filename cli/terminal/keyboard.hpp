// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Single keys and signals, waited for together.

#include "base/unique_fd.hpp"

#include <chrono>
#include <csignal>
#include <optional>
#include <termios.h>

namespace filterd::cli {

// While it lives, the terminal gives keys without Enter and without showing them, and signals that end the
// process come through wait() alone. A process in the background leaves the terminal as it is.
class Keyboard {
  public:
    struct Event {
        std::optional<char> key;
        int signal = 0; // that ends the process; SIGPIPE too: nobody reads the output
    };

    Keyboard();
    ~Keyboard();
    Keyboard(const Keyboard&) = delete;
    Keyboard& operator=(const Keyboard&) = delete;
    Keyboard(Keyboard&&) = delete;
    Keyboard& operator=(Keyboard&&) = delete;

    // Nothing in the event: that long has passed.
    [[nodiscard]] Event wait(std::chrono::milliseconds patience);
    // Nothing comes from the standard input any more.
    [[nodiscard]] bool hasEnded() const { return ended_; }

  private:
    void takeTerminal();
    void giveTerminalBack();
    void stopForNow();
    [[nodiscard]] bool inForeground() const;
    [[nodiscard]] std::optional<char> readKey();
    [[nodiscard]] int readSignal();

    bool terminal_;
    bool ended_ = false; // the standard input
    std::optional<termios> before_;
    sigset_t formerSignals_{};
    UniqueFd signals_;
};

// Ends the process by that signal.
[[noreturn]] void dieOf(int signal);

} // namespace filterd::cli
