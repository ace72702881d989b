// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/filters/dial.hpp"

#include "cli/terminal/keyboard.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace filterd::cli {

namespace {

using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;

constexpr auto kPeriod = std::chrono::seconds(1);
constexpr char kEndOfTransmission = 4; // Ctrl-D

struct DialEnding {
    Exit exit = Exit::Ok;
    int signal = 0;
};

std::chrono::milliseconds until(Moment moment) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(moment - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
}

client::Result<void> tell(const Dial& dial) {
    const auto line = dial.line();
    if (!line)
        return tl::unexpected(line.error());
    print(*line + "\n");
    return {};
}

// False for a key that means nothing.
client::Result<bool> press(const Dial& dial, char key) {
    if (key != '+' && key != '-')
        return false;
    if (auto turned = dial.turn(key == '+'); !turned)
        return tl::unexpected(turned.error());
    return true;
}

DialEnding run(const Dial& dial, Keyboard& keyboard) {
    for (Moment due = Clock::now();;) {
        if (due <= Clock::now()) {
            if (const auto told = tell(dial); !told)
                return {.exit = failed(told.error())};
            if (!flush())
                return {};
            due = Clock::now() + kPeriod;
        }
        const auto event = keyboard.wait(until(due));
        if (event.signal != 0)
            return {.signal = event.signal};
        if (!event.key && dial.endsWithInput && keyboard.hasEnded())
            return {};
        if (!event.key)
            continue;
        if (*event.key == 'q' || *event.key == kEndOfTransmission)
            return {};
        const auto pressed = press(dial, *event.key);
        if (!pressed)
            return {.exit = failed(pressed.error())};
        if (*pressed)
            due = Clock::now();
    }
}

} // namespace

Exit watch(const Dial& dial) {
    const auto ending = [&] {
        Keyboard keyboard;
        return run(dial, keyboard);
    }();
    if (ending.signal != 0)
        dieOf(ending.signal);
    return ending.exit;
}

} // namespace filterd::cli
