// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/commit/filter_instances.hpp"

namespace filterd {

LoadedFilter FilterInstances::note(const FilterFacts& facts) {
    programs_.note(facts.programId, facts.instance.name.text());
    auto& known = known_.try_emplace(facts.instance, Known{facts, {}}).first->second;
    known.facts = facts;
    auto lease = known.lease.lock();
    if (!lease) {
        lease = std::make_shared<const char>();
        known.lease = lease;
    }
    if (const auto shown = byName_.find(facts.instance.name);
        shown != byName_.end() && shown->second.instance == facts.instance)
        shown->second = facts;
    return {facts.instance, facts.direction, std::move(lease)};
}

void FilterInstances::show(const LoadedFilters& filters) {
    std::erase_if(byName_, [&](const auto& entry) { return !filters.contains(entry.first); });
    for (const auto& [name, filter] : filters)
        if (const auto shown = byName_.find(name);
            shown == byName_.end() || shown->second.instance != filter.instance)
            byName_.insert_or_assign(name, known_.at(filter.instance).facts);
}

void FilterInstances::forgetForgotten() {
    for (auto& [instance, known] : known_)
        known.facts.forgotten.clear();
    for (auto& [name, facts] : byName_)
        facts.forgotten.clear();
}

std::set<FilterInstance> FilterInstances::needed(const LoadedFilters& own,
                                                 const std::set<FilterName>& names) const {
    std::set<FilterInstance> result;
    for (const auto& [instance, known] : known_) {
        const auto mine = own.find(instance.name);
        const bool isMine = mine != own.end() && mine->second.instance == instance;
        if (known.lease.use_count() > (isMine ? 1 : 0) || (isMine && names.contains(instance.name)))
            result.insert(instance);
    }
    return result;
}

std::vector<FilterInstance> FilterInstances::missing(const std::set<FilterInstance>& loaded) const {
    std::vector<FilterInstance> result;
    for (const auto& [instance, known] : known_)
        if (!loaded.contains(instance))
            result.push_back(instance);
    return result;
}

} // namespace filterd
