// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The verbs for the configuration files and for the daemon that reads them.

#include "cli/verb/verb.hpp"

namespace filterd::cli {

void addDaemonVerbs(CLI::App& app, Invocation& invocation); // status, reload
void addFileVerbs(CLI::App& app, Invocation& invocation);   // cat, check, explain

[[nodiscard]] Exit showStatus(client::Client& client, bool json);

} // namespace filterd::cli
