// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Counts what holds have done since the daemon started.

#include "app/holds/latency_histogram.hpp"

#include <cstdint>

namespace filterd {

struct HoldCounts {
    std::uint64_t holds = 0;     // units that were held until their queues were attached
    std::uint64_t overflows = 0; // times that the guard could not hold all units
    // From mkdir in the kernel until the unit's own links filter, and the hold can end.
    LatencyHistogram attachLatency;
};

} // namespace filterd
