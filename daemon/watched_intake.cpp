// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "watched_intake.hpp"

#include <systemd/sd-daemon.h>

namespace filterd {

namespace {

// Feeds the watchdog, and puts off the end of the time that systemd allows for a start. A single filter gets
// no more than that: its content is bounded.
void tellProgress() { sd_notify(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=60000000"); }

} // namespace

Result<FilterProgram> WatchedIntake::load(const ObjectRequest& request) {
    tellProgress();
    auto loaded = inner_.load(request);
    tellProgress();
    return loaded;
}

Result<ObjectOutline> WatchedIntake::inspect(const ObjectRequest& request) {
    tellProgress();
    return inner_.inspect(request);
}

} // namespace filterd
