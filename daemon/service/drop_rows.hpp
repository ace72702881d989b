// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Writes what a queue has dropped as the bus tells it.

#include "ports/ports.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <string>
#include <vector>

namespace filterd {

// Filter (empty: while the unit was held), packets, bytes, and whether they passed nevertheless.
using DropRows = std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>>;

[[nodiscard]] inline DropRows dropRowsOf(const QueueCounters& counted) {
    DropRows drops;
    for (const auto& one : counted.dropped)
        drops.emplace_back(one.filter.text(), one.packets, one.bytes, one.logOnly);
    if (counted.held > 0)
        drops.emplace_back("", counted.held, counted.heldBytes, false);
    return drops;
}

} // namespace filterd
