// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "trial_timer.hpp"

#include "base/clock.hpp"
#include "base/confine.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace filterd {

namespace {

constexpr std::chrono::milliseconds kRetry{1'000};

} // namespace

Status TrialTimer::listen() {
    auto timer = loop_.onTimer([this] { look(); });
    if (!timer)
        return failure(timer.error());
    timer_ = *timer;
    return {};
}

void TrialTimer::look() {
    if (std::exchange(isEnding_, true))
        return;
    const auto ended = std::make_shared<Status>();
    slow_.run(
        {},
        [this, ended] {
            if (auto tried =
                    confine("the end of a trial", [&] { *ended = queues_.endTrials(bootMilliseconds()); });
                !tried)
                *ended = std::move(tried);
        },
        [this, ended] {
            isEnding_ = false;
            if (!*ended)
                log::error(ended->error().context("the end of a trial"));
            wait(*ended ? std::chrono::milliseconds(0) : kRetry);
        });
}

void TrialTimer::wait(std::chrono::milliseconds atLeast) {
    const auto now = bootMilliseconds();
    if (const auto next = inForce_.intent().trials.nextDeadline())
        loop_.rearm(timer_, std::max(atLeast, std::chrono::milliseconds(*next > now ? *next - now : 0)));
}

} // namespace filterd
