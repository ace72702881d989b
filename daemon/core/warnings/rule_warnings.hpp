// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Warns of rules that are legal and do not do what they look like: they cover nothing, or not all packets of
// what they cover. The same for check, for the daemon's log and for the bus.

#include "core/config/filter_sources.hpp"
#include "core/rules/rules.hpp"
#include "core/units/unit_relations.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// Whether a filter is known to do what it is meant for only where it stands in both queues of a unit.
using BothDirections = std::function<bool(const FilterName&)>;

// Knows what files define, read once for all rules that name it, and what the filters' objects say of
// themselves.
class KnownDefinitions {
  public:
    explicit KnownDefinitions(
        const FilterSources& sources, BothDirections both = [](const FilterName&) { return false; })
        : sources_(sources), both_(std::move(both)) {}

    [[nodiscard]] bool needsBothDirections(const FilterName& name) const { return both_(name); }

    // None: no file defines it, or not as it should.
    [[nodiscard]] const FilterDefinition* find(const FilterName& name) const;

  private:
    const FilterSources& sources_;
    BothDirections both_;
    mutable std::map<FilterName, std::optional<FilterDefinition>> known_;
};

struct RuleSurroundings {
    const UnitRelations& units;
    const KnownDefinitions& filters;
    const RunningUnitsOnDemand& running;
};

// Each begins with the source of the rule that it is about. What users set for units of their own is not
// judged.
[[nodiscard]] std::vector<std::string> ruleWarnings(const Rules& rules, const RuleSurroundings& around);

// Returns whether a filter, as its file defines it, may drop packets that it can read; one that no file
// defines may.
[[nodiscard]] bool mayDrop(const FilterName& name, const KnownDefinitions& filters);

// Warns that a rule covers what the administrator gets in through (I8). Whether it may drop is not asked.
[[nodiscard]] std::optional<std::string> lockOutWarning(const Rule& rule);

// The same of every rule of the files that may drop.
[[nodiscard]] std::vector<std::string> lockOutWarnings(const Rules& rules, const KnownDefinitions& filters);

// Why not all packets of a unit meet its rule, one sentence each; without the rule's source.
[[nodiscard]] std::vector<std::string> unseenTraffic(const std::string& unit, const Rule& rule,
                                                     const Rules& rules, const RuleSurroundings& around);

// Warns of two filters in one queue that pass nothing together, of filters that list no port, and of those
// that stand in one queue and need both.
[[nodiscard]] std::vector<std::string> queueWarnings(const Rule& rule, const KnownDefinitions& filters);

} // namespace filterd
