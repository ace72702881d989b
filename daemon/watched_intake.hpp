// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells systemd that the daemon goes on, filter by filter: the event loop does not turn while files are read,
// and many long lists of rules take longer than the watchdog waits.

#include "ports/ports.hpp"

namespace filterd {

class WatchedIntake final : public ObjectIntake {
  public:
    explicit WatchedIntake(ObjectIntake& inner) : inner_(inner) {}

    [[nodiscard]] Result<FilterProgram> load(const ObjectRequest& request) override;
    [[nodiscard]] Result<ObjectOutline> inspect(const ObjectRequest& request) override;

  private:
    ObjectIntake& inner_;
};

} // namespace filterd
