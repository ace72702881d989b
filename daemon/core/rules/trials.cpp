// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/rules/trials.hpp"

#include <algorithm>

namespace filterd {

namespace {

bool names(const Rule& rule, const FilterName& filter) {
    return std::any_of(kDirections.begin(), kDirections.end(), [&](Direction direction) {
        const auto& list = rule.filters(direction);
        return std::find(list.begin(), list.end(), filter) != list.end();
    });
}

} // namespace

void Trials::start(Trial trial) {
    if (const auto found = byTarget_.find(trial.target); found != byTarget_.end())
        trial.before = found->second.before;
    auto target = trial.target;
    byTarget_.insert_or_assign(std::move(target), std::move(trial));
}

std::vector<Trial> Trials::expire(std::uint64_t now) {
    std::vector<Trial> expired;
    for (const auto& [target, trial] : byTarget_)
        if (trial.deadline <= now)
            expired.push_back(trial);
    for (const auto& trial : expired)
        byTarget_.erase(trial.target);
    return expired;
}

std::optional<std::uint64_t> Trials::nextDeadline() const {
    std::optional<std::uint64_t> next;
    for (const auto& [target, trial] : byTarget_)
        next = std::min(next.value_or(trial.deadline), trial.deadline);
    return next;
}

std::vector<Trial> Trials::all() const {
    std::vector<Trial> list;
    for (const auto& [target, trial] : byTarget_)
        list.push_back(trial);
    return list;
}

std::set<FilterName> Trials::filters() const {
    std::set<FilterName> needed;
    for (const auto& [target, trial] : byTarget_)
        if (trial.before)
            for (const auto direction : kDirections)
                needed.insert(trial.before->filters(direction).begin(),
                              trial.before->filters(direction).end());
    return needed;
}

std::vector<std::string> Trials::needing(const FilterName& filter) const {
    std::vector<std::string> targets;
    for (const auto& [target, trial] : byTarget_)
        if (trial.before && names(*trial.before, filter))
            targets.push_back(target);
    return targets;
}

} // namespace filterd
