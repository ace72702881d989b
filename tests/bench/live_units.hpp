// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Cgroups that come to be, and how long it takes until something filters them.

#include "measure.hpp"

#include <sys/types.h>

namespace filterd::bench {

// Nanoseconds from the start of mkdir until a program is attached in both directions; the cgroup is gone
// then.
[[nodiscard]] double timeUntilAttached(const std::string& name);

// A process that attaches a program to each new cgroup whose name begins with "peer-", and does nothing else:
// a ring buffer, and two links.
class BareLoop {
  public:
    BareLoop();
    ~BareLoop();
    BareLoop(const BareLoop&) = delete;
    BareLoop& operator=(const BareLoop&) = delete;

  private:
    pid_t process_;
};

} // namespace filterd::bench
