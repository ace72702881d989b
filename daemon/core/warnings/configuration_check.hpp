// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Judges a configuration as a whole, as a reload would before it asks the kernel. Needs neither a daemon nor
// a kernel.

#include "core/config/configuration.hpp"
#include "core/facts/facts.hpp"
#include "core/packet_rules/rule_notes.hpp"
#include "core/rules/rules.hpp"
#include "core/units/known_units.hpp"
#include "core/warnings/rule_warnings.hpp"

#include <functional>
#include <string>
#include <vector>

namespace filterd {

struct CheckReport {
    std::vector<std::string> errors; // what cannot come into force
    std::vector<std::string> warnings;
};

// Returns what ObjectIntake::inspect() says of the filter that a file defines; a reading error if there is no
// object.
using FilterInspector = std::function<Result<ObjectOutline>(const FilterDefinition& definition)>;

[[nodiscard]] CheckReport checkConfiguration(const Configuration& configuration,
                                             const FilterInspector& inspect,
                                             const RunningUnitsOnDemand& running, packet::RuleNotes& notes);

// Returns what files and rules say that has no effect, or not the one that it seems to have; what a reload
// and the daemon's status tell, too. isKnown: whether a filter is loaded, or a file defines it.
using KnowsFilter = std::function<bool(const FilterName&)>;
[[nodiscard]] std::vector<std::string>
configurationWarnings(const Configuration& configuration, const Rules& rules,
                      const RunningUnitsOnDemand& running, packet::RuleNotes& notes,
                      const KnowsFilter& isKnown, const BothDirections& both);

} // namespace filterd
