// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/intent/intent.hpp"

#include "core/units/unit_relations.hpp"

#include <algorithm>

namespace filterd {

std::set<FilterName> heldFilters(const Intent& intent) {
    auto held = intent.trials.filters();
    for (const auto& [holder, counts] : intent.references.all())
        for (const auto& [filter, count] : counts)
            held.insert(filter);
    for (const auto& [name, file] : intent.definitions.loadedAtOnce())
        if (intent.filters.contains(name))
            held.insert(name);
    return held;
}

std::set<FilterName> filtersOfRules(const Rules& rules) {
    std::set<FilterName> names;
    for (const auto* rule : rules.ordered())
        for (const auto direction : kDirections)
            names.insert(rule->filters(direction).begin(), rule->filters(direction).end());
    return names;
}

void forgetFilter(Intent& intent, const FilterName& name) {
    intent.filters.erase(name);
    intent.references.forget(name);
    intent.definitions.unmark(name);
}

std::string primaryName(const Intent& intent, const std::string& target) {
    return primaryUnit(*intent.relations, target);
}

Status checkDirections(const Intent& intent, const std::set<FilterName>& names) {
    const auto isAmong = [&](const FilterName& name) { return names.contains(name); };
    for (const auto* rule : intent.rules->ordered())
        for (const auto direction : kDirections) {
            const auto& filters = rule->filters(direction);
            if (std::none_of(filters.begin(), filters.end(), isAmong))
                continue;
            if (auto queue = resolveQueue(*rule, direction, intent.filters);
                !queue && queue.error().code == ErrorCode::WrongDirection)
                return failure(queue.error());
        }
    return {};
}

} // namespace filterd
