#pragma once
// Counters that are read again and again, and what became of them in between.

#include <filterd/filterd.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd::cli {

// What is counted: packets of a direction that passed (no filter), or that a filter dropped.
struct CounterName {
    std::string unit;
    std::string direction;
    bool dropped = false;
    std::string filter; // empty and dropped: while the unit was held
    auto operator<=>(const CounterName&) const = default;
};

struct Rate {
    CounterName name;
    std::uint64_t packets = 0;
    std::optional<double> perSecond; // none: it was not counted before
};

class Rates {
  public:
    using Moment = std::chrono::steady_clock::time_point;

    // In the order in which they are counted: what passed, then the filters. A counter that has gone back
    // began anew.
    [[nodiscard]] std::vector<Rate> of(const std::string& unit, const std::vector<client::Counters>& counters,
                                       Moment now);
    // Forgets what was not counted since.
    void forgetBefore(Moment moment);

  private:
    struct Reading {
        std::uint64_t packets = 0;
        Moment when;
    };
    // begun: what a counter that is new here had before, if that is known.
    [[nodiscard]] Rate one(const CounterName& name, std::uint64_t packets, Moment now,
                           const std::optional<Reading>& begun);

    std::map<CounterName, Reading> last_;
};

} // namespace filterd::cli
