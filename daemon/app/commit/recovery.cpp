// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/commit/recovery.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::size_t kMostNamed = 20; // in one message

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i)
        text += (text.empty() ? "" : ", ") + names[i];
    if (names.size() > kMostNamed)
        text += " and " + std::to_string(names.size() - kMostNamed) + " more";
    return text.empty() ? "none" : text;
}

// The rule that keeps in force what filters the cgroup now.
Rule ruleFor(const InForce& found) {
    Rule rule{std::string(kBusSource), {found.unit.unit}, {}, {}};
    for (const auto& queue : found.queues) {
        if (!queue)
            continue;
        auto& names = queue->direction == Direction::Ingress ? rule.ingress : rule.egress;
        for (const auto& filter : queue->filters)
            names.push_back(filter.name);
        rule.fallback = queue->fallback;
        rule.logOnly = queue->logOnly;
        rule.logged[static_cast<std::size_t>(queue->direction)] = queue->logged;
    }
    if (!found.isKnown)
        rule.broken =
            "its rule was lost with the saved state, and what is attached does not tell what it was: set "
            "its queue again";
    return rule;
}

// Makes a rule for every unit or cgroup that no file covers.
std::vector<std::string> recoverRules(Rules& rules, const std::vector<InForce>& inForce) {
    std::vector<std::string> targets;
    for (const auto& found : inForce) {
        if (rules.match({found.unit.unit, found.unit.cgroup.path}) != nullptr)
            continue;
        if (auto set = rules.set(ruleFor(found)); !set)
            log::error(set.error(), {log::unit(found.unit.unit)});
        else
            targets.push_back(found.unit.unit);
    }
    return targets;
}

} // namespace

Intent recoverIntent(const LoadedFilters& loaded, const std::vector<InForce>& inForce,
                     const std::vector<Rule>& files, const Error& why) {
    Intent intent;
    intent.filters = loaded;
    for (const auto& [name, filter] : loaded)
        intent.references.acquire(Holder::keep(), name);
    auto& rules = intent.rules.edit();
    if (auto set = rules.setFiles(files); !set)
        log::error(set.error());
    log::warning(
        why.message + "; filters and attachments stay as they are. Rules made anew from what is attached: " +
            listed(recoverRules(rules, inForce)) +
            ". Lost: rules of the bus for units that do not run, their OnFailure= and deadlines, references",
        {log::id(log::Message::StateLost), log::code(why.code)});
    return intent;
}

} // namespace filterd
