// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The units whose queues a unit's packets meet beside its own, and those inside of it.

#include "core/units/unit_relations.hpp"

#include <string>
#include <vector>

namespace filterd::cli {

struct Lineage {
    std::vector<std::string> above; // its slices, and the manager of its user; the nearest first
    std::vector<std::string> below; // units that run in it
};

// `name`: of a unit, or a cgroup path. Of a unit that does not run, what is above it is told by its files.
[[nodiscard]] Lineage lineageOf(const std::string& name, const UnitRelations& units);

} // namespace filterd::cli
