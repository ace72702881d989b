// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Turns what the daemon and the bus tell of their own accord into events.

#include "client/session.hpp"

#include <vector>

namespace filterd::client {

// As long as the slots live, the handler is told.
[[nodiscard]] std::vector<sdbus::Slot> matchEvents(sdbus::IConnection& connection, EventHandler handler);

} // namespace filterd::client
