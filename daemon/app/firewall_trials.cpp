// The firewall's queues on trial (I8).

#include "app/firewall.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace filterd {

std::optional<Rule> Firewall::busRule(const std::string& target) const {
    const auto rules = rules_.busRules();
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) {
        return rule.source == kBusSource && rule.targets.front() == target;
    });
    return found == rules.end() ? std::nullopt : std::optional(*found);
}

Status Firewall::confirmQueue(const std::string& target) {
    if (!trials_.end(seenPath(target)))
        return failure(ErrorCode::NoSuchRule, "no queue of '" + target + "' waits to be confirmed");
    log::info("queue confirmed for " + target, {log::id(log::Message::QueueConfirmed), log::unit(target)});
    publisher_.countsChanged();
    finish();
    return {};
}

// Not all or nothing: what can come back does, and each unit's view tells of what could not.
void Firewall::endTrials(std::uint64_t now) {
    const auto ended = trials_.expire(now);
    if (ended.empty())
        return;
    const auto unconfirmed = rules_;
    for (const auto& trial : ended) {
        log::warning("the queue of " + trial.target +
                         " was not confirmed in time: what was set before is in force again",
                     {log::id(log::Message::QueueUnconfirmed), log::unit(trial.target)});
        if (!trial.before)
            rules_.reset(trial.target);
        else if (auto set = rules_.set(*trial.before); !set)
            log::error(set.error(), {log::unit(trial.target)});
    }
    reconciler_.reconcileAll();
    publisher_.countsChanged();
    finish();
    rulesHook_({});
    for (const auto* rules : {&unconfirmed, &std::as_const(rules_)})
        for (const auto* rule : rules->ordered())
            tellReferences(*rule);
}

} // namespace filterd
