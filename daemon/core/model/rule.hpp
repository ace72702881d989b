// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A rule: which units get which queues.

#include "core/model/model.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace filterd {

struct Rule {
    std::string source;               // "bus", "user", or the path of the .queue file
    std::vector<std::string> targets; // unit names, globs, absolute cgroup paths; see checkPattern()
    std::vector<FilterName> ingress;  // in order
    std::vector<FilterName> egress;
    OnFailure onFailure = OnFailure::Hold;
    Fallback fallback = Fallback::Allow;
    bool logOnly = false;    // drops nothing, and counts what it would have dropped
    std::string broken = {}; // why its file cannot be read; its units then get what onFailure says
    uid_t setBy = 0;         // on the bus
    std::map<FilterName, std::string> places = {}; // FILE:LINE where a file names a filter
    // By Direction: how many of the first filters only log, where a user has added others. No file says it.
    std::array<std::size_t, 2> logged = {};
    std::string holdAskedAt =
        {}; // FILE:LINE that says OnFailure=hold; empty: it is so for want of another word

    [[nodiscard]] const std::vector<FilterName>& filters(Direction direction) const {
        return direction == Direction::Ingress ? ingress : egress;
    }
    // Where a file, or the rule itself, has the filter.
    [[nodiscard]] const std::string& placeOf(const FilterName& filter) const {
        const auto place = places.find(filter);
        return place == places.end() ? source : place->second;
    }
    bool operator==(const Rule&) const = default;
};

[[nodiscard]] inline bool hasQueue(const Rule& rule) { return !rule.ingress.empty() || !rule.egress.empty(); }

inline constexpr std::string_view kBusSource = "bus";
// Set by a user for a unit of their own manager: it only adds filters, behind those of the rule that covers
// the unit otherwise.
inline constexpr std::string_view kUserSource = "user";

// What is set on the bus by others than root is kept in memory and, as names to hold, in the kernel.
inline constexpr std::size_t kMaxRulesSetByUser = 64;
inline constexpr std::size_t kMaxRulesOfUsers = 256; // with kUserSource, of all users
inline constexpr std::size_t kMaxRulesOfUser = 16;   // the same, of one
inline constexpr std::size_t kMaxFiltersOfUser = 16; // in each direction of such a rule

} // namespace filterd
