// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Which rule a unit gets, from which files, and why; which other queues its packets meet.

#include "cli/verb/verb.hpp"

#include <string>
#include <vector>

namespace filterd::cli {

[[nodiscard]] Exit explainUnit(const std::string& name);

// Holds what surrounds a unit, or a cgroup by its path.
struct Surroundings {
    bool isCovered = false; // by any rule
    std::vector<std::string>
        above; // units whose queues its packets meet, too: its slices, its user's manager
    std::vector<std::string> below; // units with queues that run in it
};
[[nodiscard]] Surroundings surroundingsOf(const std::string& name);

} // namespace filterd::cli
