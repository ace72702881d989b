// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Which queue slots are whose. A slot that was given up can still be meant by a hold, or by a mkdir that is
// reading the old rules: it is empty and free only when neither can be.

#include "ports/guard_port.hpp"

#include <set>

namespace filterd {

class SlotTable {
  public:
    explicit SlotTable(std::uint32_t size) : size_(size) {}

    // A slot that has a program already: of a daemon before this one.
    void foundFilled(QueueSlot slot) { filled_.insert(slot); }

    [[nodiscard]] Result<QueueSlot> allocate();
    void giveUp(QueueSlot slot) { owned_.erase(slot); }
    [[nodiscard]] bool owns(QueueSlot slot) const { return owned_.contains(slot); }

    [[nodiscard]] bool hasGivenUp() const { return filled_.size() > owned_.size(); }

    // The slots that nobody owns and nothing refers to; the caller empties them.
    [[nodiscard]] std::vector<QueueSlot> takeUnused(const std::set<QueueSlot>& referenced);

  private:
    std::uint32_t size_;
    std::set<QueueSlot> owned_;
    std::set<QueueSlot> filled_; // owned, or not emptied yet
};

} // namespace filterd
