#pragma once
// Takes in what the kernel reports of dropped packets: remembers it, writes some of it to the journal, and
// passes it on.

#include "app/firewall.hpp"
#include "base/clock.hpp"
#include "core/drops/drop_history.hpp"
#include "core/drops/drop_lines.hpp"
#include "core/drops/drop_repeats.hpp"

#include <functional>

namespace filterd {

class DropDesk {
  public:
    using Told = std::function<void(const Drop& drop)>;

    // `told` hears of every drop.
    DropDesk(const Firewall& firewall, Told told) : firewall_(firewall), told_(std::move(told)) {}

    // None: nothing reports. Owned by the caller.
    void useReports(DropReports* reports) { reports_ = reports; }

    // There are reports, or the deadline has come. The next deadline, in microseconds of CLOCK_BOOTTIME, if
    // there is one.
    std::optional<std::uint64_t> look(std::uint64_t now);

    // Of the last ten minutes.
    [[nodiscard]] std::vector<DropSum> sums(const std::string& unit, std::uint64_t now) const {
        return history_.sums(unit, now);
    }
    // What was reported before is not known: then the daemon started, in microseconds of CLOCK_BOOTTIME.
    [[nodiscard]] std::uint64_t since() const { return since_; }
    // Reports that the kernel had no room for.
    [[nodiscard]] Result<std::uint64_t> lost() const;

  private:
    void take(const DropReport& report, std::uint64_t now);
    void endSecond(std::uint64_t now);

    const Firewall& firewall_;
    Told told_;
    DropReports* reports_ = nullptr;
    const std::uint64_t since_ = microsecondsOf(CLOCK_BOOTTIME);
    DropRepeats repeats_;
    DropHistory history_;
    DropLines lines_;
};

} // namespace filterd
