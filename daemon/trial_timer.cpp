// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "trial_timer.hpp"

#include "base/clock.hpp"

namespace filterd {

Status TrialTimer::listen() {
    auto timer = loop_.onTimer([this] { look(); });
    if (!timer)
        return failure(timer.error());
    timer_ = *timer;
    return {};
}

void TrialTimer::look() {
    const auto now = bootMilliseconds();
    queues_.endTrials(now);
    if (const auto next = inForce_.intent().trials.nextDeadline())
        loop_.rearm(timer_, std::chrono::milliseconds(*next > now ? *next - now : 0));
}

} // namespace filterd
