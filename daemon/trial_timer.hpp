// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Ends queues on trial at their deadline.

#include "app/queues/queues.hpp"
#include "base/event_loop.hpp"
#include "ports/slow_calls.hpp"

#include <chrono>

namespace filterd {

class TrialTimer {
  public:
    TrialTimer(EventLoop& loop, SlowCalls& slow, Queues& queues, const Enforcement& inForce)
        : loop_(loop), slow_(slow), queues_(queues), inForce_(inForce) {}

    [[nodiscard]] Status listen();
    // Ends what is due, and waits for the next deadline. Call it whenever the trials have changed.
    void look();

  private:
    void wait(std::chrono::milliseconds atLeast);

    EventLoop& loop_;
    SlowCalls& slow_;
    Queues& queues_;
    const Enforcement& inForce_;
    EventLoop::Handle timer_;
    bool isEnding_ = false; // what is due
};

} // namespace filterd
