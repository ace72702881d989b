// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// While a hold ends, both the unit's own queue and then the gate drop a packet, and both report it.

#include "core/drops/drop_report.hpp"

#include <array>
#include <cstddef>

namespace filterd {

class DropRepeats {
  public:
    // Returns whether this is the gate's report of a packet that the queue itself has reported just before.
    [[nodiscard]] bool isRepeat(const DropReport& report);

  private:
    std::array<DropReport, 8> recent_; // in a ring: other processors' reports come between
    std::size_t next_ = 0;
};

} // namespace filterd
