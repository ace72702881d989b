// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// How rules are written into the guard's maps.

#include "base/result.hpp"
#include "ports/guard_port.hpp"

#include <cstdint>
#include <vector>

namespace filterd {

struct GuardRuleMaps {
    int rules = -1;
    int wideGlobs = -1;
};

// Writes one half of the rules (bpf/guard.h), and the wide globs among them. What the half had before is
// gone. To be called for the half that is not in force.
[[nodiscard]] Status writeGuardRules(const GuardRuleMaps& maps, std::uint32_t half,
                                     const std::vector<GuardRule>& rules);

} // namespace filterd
