// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Words what has to be said where there is no guard: a unit's first packets pass, and OnFailure=hold is no
// promise.

#include "base/result.hpp"
#include "core/model/rule.hpp"

#include <string>
#include <vector>

namespace filterd {

// `reason`: what the guard lacks (GuardSupport); its first line is told.
[[nodiscard]] std::string firstPacketsPass(const std::string& reason);

// Refuses a caller on the bus who asks for what cannot be kept.
[[nodiscard]] Error cannotHold(const std::string& reason);

// Names the files that ask for it, as FILE:LINE, and the way out. Their rules are in force nevertheless.
[[nodiscard]] std::vector<std::string> holdsNotKept(const std::vector<Rule>& rules,
                                                    const std::string& reason);

} // namespace filterd
