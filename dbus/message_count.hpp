// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Counts what a call holds, without making anything of it.

#include <cstddef>
#include <string>

typedef struct sd_bus_message sd_bus_message; // NOLINT: as the library declares it

namespace filterd::bus {

// Of one call of a user; root's are not limited. A container and everything in it counts.
inline constexpr std::size_t kMostItems = 4096;
inline constexpr std::size_t kMostText = std::size_t{1} << 20;

enum class Arguments { Fit, TooMuch, Unreadable };

// The message is as it was before.
[[nodiscard]] Arguments argumentsOf(sd_bus_message* message);

// Returns the first key that stands twice in a dictionary, of which a map would silently have one; empty if
// none does. It looks at the whole call, however long it is. The message is as it was before.
[[nodiscard]] std::string keyGivenTwice(sd_bus_message* message);

} // namespace filterd::bus
