// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
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

// Names what is counted: packets of a direction that passed (no filter), or that a filter dropped.
struct CounterName {
    std::string unit;
    std::string direction;
    bool dropped = false;
    std::string filter;   // empty and dropped: while the unit was held
    bool logOnly = false; // it passed nevertheless
    auto operator<=>(const CounterName&) const = default;
};

struct Amount {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

struct PerSecond {
    double packets = 0;
    double bytes = 0;
};

struct Rate {
    CounterName name;
    Amount total;
    std::optional<PerSecond> perSecond; // none: it was not counted before
};

class Rates {
  public:
    using Moment = std::chrono::steady_clock::time_point;

    // In the order in which they are counted: what passed, then the filters. A counter that has gone back
    // began anew.
    [[nodiscard]] std::vector<Rate> of(const std::string& unit, const std::vector<client::Traffic>& traffic,
                                       Moment now);
    // Forgets what was not counted since.
    void forgetBefore(Moment moment);

  private:
    struct Reading {
        Amount total;
        Moment when;
    };
    // begun: what a counter that is new here had before, if that is known.
    [[nodiscard]] Rate one(const CounterName& name, const Amount& total, Moment now,
                           const std::optional<Reading>& begun);

    std::map<CounterName, Reading> last_;
};

} // namespace filterd::cli
