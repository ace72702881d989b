// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Takes in what the kernel reports of dropped packets: remembers it, writes some of it to the journal, and
// passes it on.

#include "app/drops/drop_origins.hpp"
#include "base/clock.hpp"
#include "core/drops/drop_history.hpp"
#include "core/drops/drop_lines.hpp"
#include "core/drops/drop_repeats.hpp"

namespace filterd {

class DropMonitor {
  public:
    // The observer hears of every drop.
    DropMonitor(DropReports& reports, DropOrigins origins, Observer& observer)
        : reports_(reports), origins_(origins), observer_(observer) {}

    // There are reports, or the deadline has come. The next deadline, in microseconds of CLOCK_BOOTTIME, if
    // there is one.
    std::optional<std::uint64_t> look(std::uint64_t now);

    // Sums up the last ten minutes.
    [[nodiscard]] std::vector<DropSum> sums(const std::string& unit, std::uint64_t now) const {
        return history_.sums(unit, now);
    }
    // What was reported before is not known: then the daemon started, in microseconds of CLOCK_BOOTTIME.
    [[nodiscard]] std::uint64_t since() const { return since_; }
    // Reports that the kernel had no room for.
    [[nodiscard]] Result<std::uint64_t> undelivered() const;

  private:
    void take(const DropReport& report, std::uint64_t now);
    void endSecond(std::uint64_t now);

    DropReports& reports_;
    DropOrigins origins_;
    Observer& observer_;
    const std::uint64_t since_ = microsecondsOf(CLOCK_BOOTTIME);
    DropRepeats repeats_;
    DropHistory history_;
    DropLines lines_;
};

} // namespace filterd
