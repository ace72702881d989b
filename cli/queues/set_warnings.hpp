// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Says of a rule that a verb has set on the bus the same as of a file that says the same.

#include "cli/verb/verb.hpp"

#include <string>
#include <vector>

namespace filterd::cli {

// Returns what the daemon warned of before the rule was set. An error: it does not answer.
[[nodiscard]] client::Result<std::vector<std::string>> warningsBefore(const client::Client& client);
// Tells what the daemon has not said before, what is about the unit, and whether its rule can lock out by one
// of these filters: none if it is set on trial, which is reverted unless it is confirmed.
[[nodiscard]] Exit warnOfRule(const client::Client& client, const std::vector<std::string>& before,
                              const std::string& unit, const std::vector<std::string>& filters);

} // namespace filterd::cli
