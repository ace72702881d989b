// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// When something that goes on for ever shall end: by a signal, or because it has what it wanted.

#include "base/unique_fd.hpp"

namespace filterd::cli {

// Takes SIGINT, SIGTERM and SIGHUP from the process as long as it lives.
class Ending {
  public:
    Ending();
    void now();
    // Readable when the end has come.
    [[nodiscard]] int fd() const { return both_.get(); }

  private:
    UniqueFd signals_;
    UniqueFd wanted_;
    UniqueFd both_;
};

} // namespace filterd::cli
