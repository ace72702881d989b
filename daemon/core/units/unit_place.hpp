// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Where systemd puts the cgroups of units, as far as their files tell.

#include "core/units/unit_relations.hpp"

#include <string>
#include <vector>

namespace filterd {

// The slice that a unit of the system, or of a user's manager, is put into; of a slice the one above it.
[[nodiscard]] std::string sliceOf(const std::string& unit, const UnitRelations& relations, bool isOfUser);

// A slice and those above it, the nearest first; without the root: {"a-b.slice", "a.slice"}.
[[nodiscard]] std::vector<std::string> withSlicesAbove(const std::string& slice);

// The cgroup of a unit of the system: "/a.slice/a-b.slice/x.service".
[[nodiscard]] std::string placeOf(const std::string& unit, const UnitRelations& relations);

// Why no unit of systemd ever has its cgroup at this path, with the nearest that one has; empty if one may,
// or if a cgroup is there. A rule may be there before its unit is: this is a warning.
[[nodiscard]] std::string whyNoCgroup(const std::string& path, const UnitRelations& relations,
                                      const RunningUnitsOnDemand& running);

} // namespace filterd
