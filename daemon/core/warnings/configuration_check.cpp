// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/configuration_check.hpp"

#include "bpf/guard.h"
#include "core/config/filter_content.hpp"
#include "core/rules/resolve.hpp"
#include "core/units/instances.hpp"
#include "core/warnings/idle_rules.hpp"
#include "core/warnings/rule_warnings.hpp"
#include "core/warnings/socket_warnings.hpp"

#include <algorithm>
#include <set>

namespace filterd {

namespace {

class Checker {
  public:
    Checker(const Configuration& configuration, const FilterInspector& inspect,
            const RunningUnitsOnDemand& running, packet::RuleNotes& notes)
        : configuration_(configuration), inspect_(inspect), running_(running), notes_(notes) {
        report_.errors = configuration.errors;
    }

    CheckReport check() {
        for (const auto& rule : configuration_.rules)
            checkFilters(rule);
        for (const auto& name : configuration_.filters.names())
            checkFilter(name, isLoadedAtOnce(name));
        checkNumber();
        Rules rules;
        if (const auto set = rules.setFiles(configuration_.rules); !set)
            tell(set.error().message);
        const auto known = [this](const FilterName& name) { return configuration_.filters.defines(name); };
        const auto both = [this](const FilterName& name) { return inBoth_.contains(name); };
        for (const auto& warning :
             configurationWarnings(configuration_, rules, running_, notes_, known, both))
            warn(warning);
        return std::move(report_);
    }

  private:
    void tell(const std::string& error) {
        if (std::find(report_.errors.begin(), report_.errors.end(), error) == report_.errors.end())
            report_.errors.push_back(error);
    }

    void warn(const std::string& warning) {
        if (std::find(report_.warnings.begin(), report_.warnings.end(), warning) == report_.warnings.end())
            report_.warnings.push_back(warning);
    }

    // As many as the guard can hold, from the first packet on.
    void checkNumber() {
        std::size_t names = 0;
        for (const auto& rule : configuration_.rules)
            names += static_cast<std::size_t>(
                std::count_if(rule.targets.begin(), rule.targets.end(), [](const auto& target) {
                    return !target.starts_with('/') || !unitOfCgroupPath(target).empty();
                }));
        if (names > GUARD_RULES_MAX)
            tell("the files name " + std::to_string(names) + " units and globs in all, the guard holds " +
                 std::to_string(GUARD_RULES_MAX) + " at most; put them together by globs");
    }

    [[nodiscard]] bool isLoadedAtOnce(const FilterName& name) const {
        const auto definition = configuration_.filters.define(name);
        return definition && definition->load;
    }

    // A filter that nothing needs keeps nothing from coming into force: what it lacks is a warning.
    void checkFilter(const FilterName& name, bool isNeeded) {
        if (!filters_.emplace(name, LoadedFilter{{name, ""}, FilterDirection::Either}).second)
            return;
        const auto definition = configuration_.filters.define(name);
        if (!definition) {
            tell(definition.error().message);
            return;
        }
        const auto outline = definition->pinned.empty() ? inspect_(*definition) : ObjectOutline{};
        if (outline)
            note(*definition, *outline);
        else if (const auto fault = inFile(*definition, outline.error()); isNeeded)
            tell(fault.message);
        else // its package may not be installed yet
            warn(faultOfUnused(fault.message));
    }

    void note(const FilterDefinition& definition, const ObjectOutline& outline) {
        filters_.at(definition.name).direction = outline.direction;
        if (outline.bothDirections)
            inBoth_.insert(definition.name);
        if (!outline.forgotten.empty())
            warn(definition.source + ": " +
                 forgottenBy(definition.name, outline.forgotten, Forgotten::AtReload));
    }

    void checkFilters(const Rule& rule) {
        for (const auto direction : kDirections) {
            for (const auto& name : rule.filters(direction)) {
                if (configuration_.filters.defines(name)) {
                    checkFilter(name, true);
                    continue;
                }
                filters_.emplace(name, LoadedFilter{{name, ""}, FilterDirection::Either});
            }
            if (const auto queue = resolveQueue(rule, direction, filters_); !queue)
                tell(inRule(rule, queue.error()).message);
        }
    }

    const Configuration& configuration_;
    const FilterInspector& inspect_;
    const RunningUnitsOnDemand& running_;
    packet::RuleNotes& notes_;
    LoadedFilters filters_;       // what is known of those that were checked
    std::set<FilterName> inBoth_; // those of them that need both directions
    CheckReport report_;
};

std::string whyMissing(const FilterSources& filters, const FilterName& name) {
    if (isTemplate(name.text()))
        return filters.define(name).error().message;
    const auto mask = filters.maskOf(name);
    return mask.empty() ? "no file defines the filter '" + name.text() + "'" : maskedBy(name, mask);
}

// Rules of users are taken out of force with their filters, and tell nobody else.
std::vector<std::string> missingFilters(const Configuration& configuration, const Rules& rules,
                                        const KnowsFilter& isKnown) {
    std::vector<std::string> warnings;
    for (const auto* rule : rules.ordered()) {
        if (rule->source == kUserSource)
            continue;
        std::set<FilterName> told;
        for (const auto direction : kDirections)
            for (const auto& name : rule->filters(direction)) {
                if (isKnown(name) || !told.insert(name).second)
                    continue;
                warnings.push_back(rule->placeOf(name) + ": " + whyMissing(configuration.filters, name) +
                                   ": unless it is loaded otherwise, OnFailure= applies");
            }
    }
    return warnings;
}

// Returns what the rules leave open of every filter that has a file of its own or stands in a queue.
std::vector<std::string> notesOnFilters(const Configuration& configuration, packet::RuleNotes& ofRules) {
    std::set<FilterName> names;
    for (const auto& name : configuration.filters.names())
        names.insert(name);
    for (const auto& rule : configuration.rules)
        for (const auto direction : kDirections)
            names.insert(rule.filters(direction).begin(), rule.filters(direction).end());
    std::vector<std::string> notes;
    for (const auto& name : names)
        if (const auto definition = configuration.filters.define(name))
            for (auto& note : notesOf(*definition, ofRules))
                notes.push_back(std::move(note));
    return notes;
}

} // namespace

CheckReport checkConfiguration(const Configuration& configuration, const FilterInspector& inspect,
                               const RunningUnitsOnDemand& running, packet::RuleNotes& notes) {
    return Checker(configuration, inspect, running, notes).check();
}

std::vector<std::string> configurationWarnings(const Configuration& configuration, const Rules& rules,
                                               const RunningUnitsOnDemand& running, packet::RuleNotes& notes,
                                               const KnowsFilter& isKnown, const BothDirections& both) {
    auto warnings = configuration.warnings;
    const KnownDefinitions filters(configuration.filters, both);
    for (auto& some :
         {lockOutWarnings(rules, filters), idleRuleWarnings(rules),
          missingFilters(configuration, rules, isKnown),
          ruleWarnings(rules, {configuration.units, filters, running}),
          socketWarnings(configuration.units, rules, running), notesOnFilters(configuration, notes)})
        warnings.insert(warnings.end(), some.begin(), some.end());
    return warnings;
}

} // namespace filterd
