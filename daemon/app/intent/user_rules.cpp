// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/intent/user_rules.hpp"

#include "base/log.hpp"

namespace filterd {

namespace {

// Removes what the rule's user may not use any more, and returns the names. A filter whose file is broken
// stays: nobody knows what it would say.
std::string removeDenied(const Intent& intent, Rule& rule) {
    std::string removed;
    for (auto* names : {&rule.ingress, &rule.egress})
        std::erase_if(*names, [&](const FilterName& name) {
            const auto allowed = checkForUsers(intent, name);
            const bool goes = !allowed && allowed.error().code == ErrorCode::AccessDenied;
            if (goes)
                removed += (removed.empty() ? "" : ", ") + name.text();
            return goes;
        });
    return removed;
}

bool reviewUserRule(Intent& intent, Rule rule, const UserExists& userExists) {
    const auto unit = rule.targets.front();
    const auto user = std::to_string(rule.setBy);
    if (!userExists(rule.setBy)) {
        log::warning("the queue that user " + user + " has set for " + unit +
                         " ends: the user does not exist any more",
                     {log::id(log::Message::QueueReset), log::unit(unit)});
        return intent.rules.edit().resetOfUser(unit);
    }
    const auto removed = removeDenied(intent, rule);
    if (removed.empty())
        return false;
    log::warning("user " + user + " may not use " + removed +
                     " any more: removed from the queue that they have set for " + unit,
                 {log::unit(unit)});
    if (rule.ingress.empty() && rule.egress.empty())
        return intent.rules.edit().resetOfUser(unit);
    if (auto set = intent.rules.edit().set(rule); !set)
        log::error(set.error().message);
    return true;
}

} // namespace

// The content must be the file's: what somebody loaded under the name is not what the administrator allowed.
Status checkForUsers(const Intent& intent, const FilterName& name) {
    const auto definition = intent.definitions.define(name);
    if (!definition && definition.error().code == ErrorCode::BadConfiguration)
        return failure(definition.error());
    const bool isOfFile = !intent.filters.contains(name) || intent.definitions.loaded().contains(name);
    if (definition && definition->allowUsers && isOfFile)
        return {};
    return failure(ErrorCode::AccessDenied, "filter '" + name.text() +
                                                "' is not for users: no .filter file with AllowUsers=yes "
                                                "defines it; choose another, or ask the administrator");
}

bool reviewUserRules(Intent& intent, const UserExists& userExists) {
    bool changed = false;
    for (const auto& rule : intent.rules->busRules())
        if (rule.source == kUserSource)
            changed |= reviewUserRule(intent, rule, userExists);
    return changed;
}

} // namespace filterd
