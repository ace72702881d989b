// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/slot_table.hpp"

namespace filterd {

Result<QueueSlot> SlotTable::allocate() {
    for (std::uint32_t value = 1; value < size_; ++value) {
        const QueueSlot slot{value};
        if (filled_.insert(slot).second) {
            owned_.insert(slot);
            return slot;
        }
    }
    return failure(ErrorCode::LimitExceeded, "the guard knows at most " + std::to_string(size_ - 1) +
                                                 " different pairs of queues: let rules share their queues");
}

std::vector<QueueSlot> SlotTable::takeUnused(const std::set<QueueSlot>& referenced) {
    std::vector<QueueSlot> unused;
    for (auto slot = filled_.begin(); slot != filled_.end();) {
        if (owned_.contains(*slot) || referenced.contains(*slot)) {
            ++slot;
            continue;
        }
        unused.push_back(*slot);
        slot = filled_.erase(slot);
    }
    return unused;
}

} // namespace filterd
