// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Asks for the password that polkit wants, where the caller sits at a terminal.

#include <sys/types.h>

namespace filterd::cli {

// Runs pkttyagent for this process while it lives. Not as a fallback for the agent of the user's session:
// polkit never asks one of a process outside of any session, such as one that was started by su(1). Does
// nothing for root, who is never asked, without a terminal, and where there is no pkttyagent: then an agent
// of the user's session is asked, if there is one.
class PasswordAgent {
  public:
    PasswordAgent();
    ~PasswordAgent();
    PasswordAgent(const PasswordAgent&) = delete;
    PasswordAgent& operator=(const PasswordAgent&) = delete;
    PasswordAgent(PasswordAgent&&) = delete;
    PasswordAgent& operator=(PasswordAgent&&) = delete;

  private:
    pid_t agent_ = -1;
};

} // namespace filterd::cli
