// What a user may set for units of his own manager (I6).

#include "app/firewall.hpp"
#include "base/log.hpp"

namespace filterd {

// The content must be the file's: what somebody loaded under the name is not what the administrator allowed.
Status Firewall::checkForUsers(const FilterName& name) const {
    const auto definition = definitions_.define(name);
    if (!definition && definition.error().code == ErrorCode::BadConfiguration)
        return failure(definition.error());
    const bool isOfFile = !facts_.contains(name) || definitions_.loaded().contains(name);
    if (definition && definition->allowUsers && isOfFile)
        return {};
    return failure(ErrorCode::AccessDenied, "filter '" + name.text() +
                                                "' is not for users: no .filter file with AllowUsers=yes "
                                                "defines it; choose another, or ask the administrator");
}

Status Firewall::setQueueOfUser(Rule rule) {
    rule.source = kUserSource;
    rule.onFailure = OnFailure::Hold;
    rule.logOnly = false; // what the administrator drops is not his to let pass
    const auto& unit = rule.targets.front();
    for (const auto direction : kDirections) {
        if (rule.filters(direction).size() > kMaxFiltersOfUser)
            return failure(ErrorCode::LimitExceeded, "a queue that a user adds has at most " +
                                                         std::to_string(kMaxFiltersOfUser) + " filters");
        for (const auto& name : rule.filters(direction))
            if (auto allowed = checkForUsers(name); !allowed)
                return allowed;
    }
    const auto before = rules_;
    if (auto set = setRule(rule, {}); !set)
        return set;
    const auto* combined = rules_.match({unit, {}});
    const auto wrong = combined == nullptr ? std::nullopt : reconciler_.errorOf(*combined);
    if (!wrong || !combined->broken.empty()) // that is the administrator's
        return {};
    rules_ = before;
    reconciler_.reconcileAll();
    finish();
    return failure(*wrong);
}

Status Firewall::resetQueueOfUser(const std::string& unit) {
    auto before = rules_;
    if (!rules_.resetOfUser(unit))
        return failure(ErrorCode::NoSuchRule,
                       "no queue was set by its user for '" + unit + "'; what others set is theirs");
    if (auto done = tryRules(before, trials_); !done)
        return done;
    rulesHook_({});
    log::info("queue of its user reset for " + unit, {log::id(log::Message::QueueReset), log::unit(unit)});
    for (const auto* rule : before.ordered())
        tellReferences(*rule);
    return {};
}

// What users have set ends with their account. A filter that is not for users any more leaves their queues;
// what else they have set stays, and so does a filter whose file is broken: nobody knows what it would say.
bool Firewall::reviewQueueOfUser(Rule rule) {
    const auto unit = rule.targets.front();
    const auto user = std::to_string(rule.setBy);
    if (!userExists_(rule.setBy)) {
        log::warning("the queue that user " + user + " has set for " + unit +
                         " ends: the user does not exist any more",
                     {log::id(log::Message::QueueReset), log::unit(unit)});
        return rules_.resetOfUser(unit);
    }
    std::string removed;
    for (auto* names : {&rule.ingress, &rule.egress})
        std::erase_if(*names, [&](const FilterName& name) {
            const auto allowed = checkForUsers(name);
            const bool goes = !allowed && allowed.error().code == ErrorCode::AccessDenied;
            if (goes)
                removed += (removed.empty() ? "" : ", ") + name.text();
            return goes;
        });
    if (removed.empty())
        return false;
    log::warning("user " + user + " may not use " + removed +
                     " any more: removed from the queue that they have set for " + unit,
                 {log::unit(unit)});
    if (rule.ingress.empty() && rule.egress.empty())
        return rules_.resetOfUser(unit);
    if (auto set = rules_.set(rule); !set)
        log::error(set.error().message);
    return true;
}

bool Firewall::reviewUsers() {
    bool changed = false;
    for (const auto& rule : rules_.busRules())
        if (rule.source == kUserSource)
            changed |= reviewQueueOfUser(rule);
    return changed;
}

std::vector<std::string> Firewall::holdingClients() const {
    std::vector<std::string> clients;
    for (const auto& [holder, counts] : references_.all())
        if (holder.kind == Holder::Kind::Client)
            clients.push_back(holder.name);
    return clients;
}

std::size_t Firewall::referencesOf(const std::vector<Holder>& holders) const {
    std::size_t count = 0;
    for (const auto& holder : holders)
        if (const auto held = references_.all().find(holder); held != references_.all().end())
            for (const auto& [filter, times] : held->second)
                count += times;
    return count;
}

} // namespace filterd
