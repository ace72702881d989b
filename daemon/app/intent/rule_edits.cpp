// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/intent/rule_edits.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace filterd {

namespace {

std::optional<Rule> busRule(const Rules& rules, const std::string& target) {
    const auto all = rules.busRules();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Rule& rule) {
        return rule.source == kBusSource && rule.targets.front() == target;
    });
    return found == all.end() ? std::nullopt : std::optional(*found);
}

} // namespace

Status setRule(Intent& intent, const Rule& rule, std::optional<std::uint64_t> deadline) {
    const auto& target = rule.targets.front();
    auto before = busRule(*intent.rules, target);
    if (auto set = intent.rules.edit().set(rule); !set)
        return set;
    if (deadline)
        intent.trials.start({target, *deadline, std::move(before)});
    else if (rule.source == kBusSource)
        intent.trials.end(target);
    return {};
}

bool resetRule(Intent& intent, const std::string& target) {
    auto& rules = intent.rules.edit();
    if (!rules.reset(target) && !rules.resetOfUser(target))
        return false;
    intent.trials.end(target);
    return true;
}

std::vector<Trial> endTrials(Intent& intent, std::uint64_t now) {
    auto ended = intent.trials.expire(now);
    for (const auto& trial : ended)
        if (!trial.before)
            intent.rules.edit().reset(trial.target);
        else if (auto set = intent.rules.edit().set(*trial.before); !set)
            log::error(set.error(), {log::unit(trial.target)});
    return ended;
}

} // namespace filterd
