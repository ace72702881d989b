// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The verbs that need all of the others' modules, or none.

#include "cli/verb/verb.hpp"

namespace filterd::cli {

void addShowVerbs(CLI::App& app, Invocation& invocation);   // list, show
void addSwitchVerbs(CLI::App& app, Invocation& invocation); // off, on

// Shows an overview where no verb is given.
[[nodiscard]] Exit showOverview(const CLI::App& app, bool json);

} // namespace filterd::cli
