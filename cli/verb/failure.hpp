// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Failures as people see them: one sentence on stderr, with the way out.

#include "cli/verb/verb.hpp"

namespace filterd::cli {

void complain(const std::string& message);

// Prints the error, and says what to end with.
[[nodiscard]] Exit failed(const client::Error& error);

[[nodiscard]] Exit finished(const client::Result<void>& result);

// For what no verb can know before it runs.
[[nodiscard]] Exit misused(const std::string& message);
// The same, for a name that no unit can have.
[[nodiscard]] Exit noUnit(const std::string& name);
// Returns whether the error says that a unit has ended, or that its queue counts nothing: who looks at units
// goes on then; another error ends it.
[[nodiscard]] bool isOfTheUnit(const client::Error& error);

} // namespace filterd::cli
