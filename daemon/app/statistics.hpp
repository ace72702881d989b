#pragma once
// What has been done since the daemon started.

#include "app/latency_histogram.hpp"

#include <cstdint>

namespace filterd {

struct ActionCounts {
    std::uint64_t attachments = 0;        // of queues to cgroups that had none
    std::uint64_t replacements = 0;       // of attached queues by others
    std::uint64_t attachmentFailures = 0; // of both
    std::uint64_t builds = 0;
    std::uint64_t buildFailures = 0;
};

struct Statistics {
    ActionCounts actions;
    std::uint64_t holds = 0;     // units that were held until their queues were attached
    std::uint64_t overflows = 0; // times that the guard could not hold all units
    // From mkdir in the kernel until the unit's own links filter, and the hold can end.
    LatencyHistogram attachLatency;
};

} // namespace filterd
