// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Counts what has been done since the daemon started.

#include "app/holds/hold_counts.hpp"

#include <cstdint>

namespace filterd {

struct ActionCounts {
    std::uint64_t attachments = 0;        // of queues to cgroups that had none
    std::uint64_t replacements = 0;       // of attached queues by others
    std::uint64_t attachmentFailures = 0; // of both
    std::uint64_t builds = 0;
    std::uint64_t buildFailures = 0;
};

struct Statistics : HoldCounts {
    ActionCounts actions;
};

} // namespace filterd
