// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The bus library's own connection, for what sdbus-c++ does not offer. Only within dbus/.

#include <sdbus-c++/sdbus-c++.h>

typedef struct sd_bus sd_bus; // NOLINT: as the library declares it

namespace filterd::bus {

// Lives as long as the connection.
[[nodiscard]] sd_bus* rawBus(sdbus::IConnection& connection);

} // namespace filterd::bus
