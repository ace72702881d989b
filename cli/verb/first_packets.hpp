// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Where the kernel has no guard, who sets queues is told that a unit's first packets pass.

#include "cli/verb/verb.hpp"

#include <optional>
#include <string>

namespace filterd::cli {

// None if units are filtered from their first packet on.
[[nodiscard]] std::optional<std::string> firstPacketsWarning(const client::Status& status);

// After a verb that has set queues: the warning, if the verb has done well.
[[nodiscard]] Exit warnOfFirstPackets(const client::Client& client, Exit done);

// The same without a daemon, as far as the kernel alone tells: what the guard lacks in it; none if nothing is
// known.
[[nodiscard]] std::optional<std::string> whatGuardLacks();

} // namespace filterd::cli
