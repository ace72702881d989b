// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Says when what a verb has set is not in force although all went well.

#include "cli/verb/verb.hpp"

#include <string>

namespace filterd::cli {

// Why filterd enforces nothing, in brackets and with a blank before it, as far as it is known; or nothing.
[[nodiscard]] std::string whyOff();

// Warns that filterd is switched off, if it is.
void warnIfOff(const client::Status& status);

// withDaemon() for what is to be in force afterwards: warns if filterd is switched off and body has done
// well.
[[nodiscard]] Exit withDaemonToSet(const std::function<Exit(client::Client&)>& body);

} // namespace filterd::cli
