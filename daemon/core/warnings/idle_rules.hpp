// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Rules of files that give no unit a filter, though they are read and legal.

#include "core/rules/rules.hpp"

#include <string>
#include <vector>

namespace filterd {

// Each begins with the source of the rule that it is about: rules that name no filter, and rules behind
// others that cover everything they name.
[[nodiscard]] std::vector<std::string> idleRuleWarnings(const Rules& rules);

} // namespace filterd
