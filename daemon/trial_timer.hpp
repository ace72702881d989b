// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Ends queues on trial at their deadline.

#include "app/queues/queues.hpp"
#include "base/event_loop.hpp"

namespace filterd {

class TrialTimer {
  public:
    TrialTimer(EventLoop& loop, Queues& queues, const Enforcement& inForce)
        : loop_(loop), queues_(queues), inForce_(inForce) {}

    [[nodiscard]] Status listen();
    // Ends what is due, and waits for the next deadline. Call it whenever the trials have changed.
    void look();

  private:
    EventLoop& loop_;
    Queues& queues_;
    const Enforcement& inForce_;
    EventLoop::Handle timer_;
};

} // namespace filterd
