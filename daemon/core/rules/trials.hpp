// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Queues on trial: what was set before comes back at the deadline unless somebody confirms (I8).

#include "core/model/rule.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace filterd {

struct Trial {
    std::string target;         // as in the rule
    std::uint64_t deadline = 0; // milliseconds of CLOCK_BOOTTIME
    std::optional<Rule> before; // what comes back; none: nothing was set on the bus for this target
    bool operator==(const Trial&) const = default;
};

class Trials {
  public:
    // A target that is on trial already gets the new deadline, and goes back to what was before both.
    void start(Trial trial);
    // False when the target is not on trial.
    bool end(const std::string& target) { return byTarget_.erase(target) > 0; }
    // Takes out those whose deadline has come.
    [[nodiscard]] std::vector<Trial> expire(std::uint64_t now);

    [[nodiscard]] std::optional<std::uint64_t> nextDeadline() const;
    [[nodiscard]] std::vector<Trial> all() const;
    // Filters without which nothing could come back: they stay loaded.
    [[nodiscard]] std::set<FilterName> filters() const;
    // The targets that may go back to a queue that holds the filter.
    [[nodiscard]] std::vector<std::string> needing(const FilterName& filter) const;

  private:
    std::map<std::string, Trial> byTarget_;
};

} // namespace filterd
