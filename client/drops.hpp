// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Dropped packets that the daemon tells of one by one.

#include "client/session.hpp"

namespace filterd::client {

// As long as the slot lives, the handler is told of what the connection follows (FollowDrops).
[[nodiscard]] sdbus::Slot matchDrops(sdbus::IConnection& connection, DropHandler handler);

} // namespace filterd::client
