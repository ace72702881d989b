// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// How unit rules and trials of an intent change. Nothing here is in force until the intent is committed.

#include "app/intent/intent.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace filterd {

// With a deadline (milliseconds of CLOCK_BOOTTIME) the rule is on trial; without one a trial of its target
// ends. Errors: InvalidName, LimitExceeded.
[[nodiscard]] Status setRule(Intent& intent, const Rule& rule, std::optional<std::uint64_t> deadline);

// Takes back what was set on the bus for the target, by an administrator or else by the unit's user. False:
// nothing was.
[[nodiscard]] bool resetRule(Intent& intent, const std::string& target);

// Puts back what was set before each queue whose deadline has come, and returns these trials.
[[nodiscard]] std::vector<Trial> endTrials(Intent& intent, std::uint64_t now);

} // namespace filterd
