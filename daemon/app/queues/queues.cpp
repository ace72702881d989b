// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/queues/queues.hpp"

#include "base/log.hpp"

namespace filterd {

// ---- setting --------------------------------------------------------------------------------------------

// Loads what the rule names, from its file if need be, and checks that it may stand where the rule has it.
Status Queues::loadFor(Intent& next, const Rule& rule) {
    for (const auto direction : kDirections) {
        for (const auto& name : rule.filters(direction))
            if (auto loaded = files_.loadWanted(next, name); !loaded)
                return loaded;
        if (auto queue = resolveQueue(rule, direction, next.filters, {}); !queue)
            return failure(queue.error());
    }
    return {};
}

Status Queues::editRules(Intent& next, const Rule& rule, std::optional<std::uint64_t> deadline) {
    if (auto usable = loadFor(next, rule); !usable)
        return usable;
    return filterd::setRule(next, rule, deadline);
}

Status Queues::setRule(const Rule& rule, std::optional<std::uint64_t> deadline) {
    auto next = inForce_.intent();
    if (auto edited = editRules(next, rule, deadline); !edited) {
        inForce_.discard(std::move(next));
        return edited;
    }
    const auto& target = rule.targets.front();
    auto done = rule.source == kUserSource ? inForce_.commitOfUser(std::move(next), target)
                                           : inForce_.commit(std::move(next), Extent::Whole);
    if (!done)
        return done;
    inForce_.observers().rulesSet(target);
    log::info("queue set for " + target, {log::id(log::Message::QueueSet), log::unit(target)});
    inForce_.tellFiltersOf(rule);
    return {};
}

Status Queues::set(Rule rule, std::optional<std::uint64_t> deadline) {
    rule.source = kBusSource;
    auto& target = rule.targets.front();
    if (auto valid = checkPattern(target); !valid)
        return valid;
    if (target.starts_with('/')) {
        auto cgroup = tree_.find(target);
        if (!cgroup)
            return failure(cgroup.error());
        target = cgroup->path;
    }
    target = units_.primaryName(target);
    return setRule(rule, deadline);
}

Status Queues::commitReset(Intent next, const std::string& what, const std::string& unit) {
    const auto before = inForce_.intent().rules;
    if (auto done = inForce_.commit(std::move(next), Extent::Whole); !done)
        return done;
    inForce_.observers().rulesSet({});
    log::info(what + " reset for " + unit, {log::id(log::Message::QueueReset), log::unit(unit)});
    for (const auto* rule : before->ordered())
        inForce_.tellFiltersOf(*rule);
    return {};
}

Status Queues::reset(const std::string& target) {
    auto next = inForce_.intent();
    if (!resetRule(next, units_.seenPath(target)))
        return failure(ErrorCode::NoSuchUnitRule, "no queue was set on the bus for '" + target + "'");
    return commitReset(std::move(next), "queue", target);
}

// ---- users ----------------------------------------------------------------------------------------------

Status Queues::setOfUser(Rule rule) {
    rule.source = kUserSource;
    rule.onFailure = OnFailure::Hold;
    rule.logOnly = false; // what the administrator drops is not theirs to let pass
    for (const auto direction : kDirections) {
        if (rule.filters(direction).size() > kMaxFiltersOfUser)
            return failure(ErrorCode::LimitExceeded, "a queue that a user adds has at most " +
                                                         std::to_string(kMaxFiltersOfUser) + " filters");
        for (const auto& name : rule.filters(direction))
            if (auto allowed = checkForUsers(inForce_.intent(), name); !allowed)
                return allowed;
    }
    return setRule(rule, {});
}

Status Queues::resetOfUser(const std::string& unit) {
    auto next = inForce_.intent();
    if (!next.rules.edit().resetOfUser(unit))
        return failure(ErrorCode::NoSuchUnitRule,
                       "no queue was set by its user for '" + unit + "'; what others set is theirs");
    return commitReset(std::move(next), "queue of its user", unit);
}

// ---- trials (I8) ----------------------------------------------------------------------------------------

Status Queues::confirm(const std::string& target) {
    auto next = inForce_.intent();
    if (!next.trials.end(units_.seenPath(target)))
        return failure(ErrorCode::NoSuchUnitRule, "no queue of '" + target + "' waits to be confirmed");
    auto done = inForce_.commit(std::move(next), Extent::Books);
    log::info("queue confirmed for " + target, {log::id(log::Message::QueueConfirmed), log::unit(target)});
    return done;
}

// Not all or nothing: what can come back does, and each unit's view tells of what could not.
Status Queues::endTrials(std::uint64_t now) {
    auto next = inForce_.intent();
    const auto ended = filterd::endTrials(next, now);
    if (ended.empty())
        return {};
    const auto unconfirmed = inForce_.intent().rules;
    if (auto done = inForce_.commit(std::move(next), Extent::Back); !done)
        return done;
    for (const auto& trial : ended)
        log::warning("the queue of " + trial.target +
                         " was not confirmed in time: what was set before is in force again",
                     {log::id(log::Message::QueueUnconfirmed), log::unit(trial.target)});
    inForce_.observers().rulesSet({});
    for (const auto* rules : {&*unconfirmed, &*inForce_.intent().rules})
        for (const auto* rule : rules->ordered())
            inForce_.tellFiltersOf(*rule);
    return {};
}

// ---- one filter more or less ----------------------------------------------------------------------------

Result<EditedUnit> Queues::unitOf(const QueueEdit& edit) const {
    if (edit.byItsUser)
        return EditedUnit{edit.unit, ""};
    if (edit.unit.starts_with('/')) {
        auto cgroup = tree_.find(edit.unit);
        if (!cgroup)
            return failure(cgroup.error());
        return EditedUnit{unitOfCgroupPath(cgroup->path), cgroup->path};
    }
    if (!isAnyUnitName(edit.unit))
        return failure(ErrorCode::InvalidName, "'" + edit.unit +
                                                   "' is neither a unit's name nor a cgroup path; a glob's "
                                                   "queues are set as a whole (SetQueue)");
    EditedUnit unit{units_.primaryName(edit.unit), ""};
    if (const auto* view = units_.find(unit.unit))
        unit.path = view->cgroup.path;
    return unit;
}

Status Queues::finish(const QueueEdit& edit, EditedRule edited) {
    auto& rule = edited.rule;
    rule.setBy = edit.setBy;
    if (edit.byItsUser)
        return rule.ingress.empty() && rule.egress.empty() ? resetOfUser(edit.unit)
                                                           : setOfUser(std::move(rule));
    auto deadline = edit.deadline;
    for (const auto& trial : inForce_.intent().trials.all())
        if (!deadline && trial.target == rule.targets.front())
            deadline = trial.deadline;
    if (!deadline && isSuperfluous(*inForce_.intent().rules, edited))
        return reset(rule.targets.front());
    return set(std::move(rule), deadline);
}

Result<std::string> Queues::change(const QueueEdit& edit, Change apply) {
    const auto unit = unitOf(edit);
    if (!unit)
        return failure(unit.error());
    auto edited = ruleToEdit(*inForce_.intent().rules, edit, *unit);
    if (!edited)
        return failure(edited.error());
    if (auto changed = apply(*edited, edit); !changed)
        return failure(changed.error());
    auto from = edited->from;
    if (auto done = finish(edit, std::move(*edited)); !done)
        return failure(done.error());
    return from;
}

Result<std::string> Queues::attach(const QueueEdit& edit) { return change(edit, attachTo); }

Result<std::string> Queues::detach(const QueueEdit& edit) { return change(edit, detachFrom); }

// ---- units that wait for their queues -------------------------------------------------------------------

namespace {

tl::unexpected<Error> noRuleCovers(const std::string& unit) {
    return failure(ErrorCode::NoSuchUnitRule, "no rule covers '" + unit +
                                                  "'; set its queue, or take the call out of "
                                                  "its unit file");
}

} // namespace

// A unit without a cgroup has sent no packet. What counts is that the guard will know it by its name, and
// that its queues stand ready.
Status Queues::ensureStart(const std::string& unit) const {
    const auto& reconciler = inForce_.reconciler();
    const auto* rule = reconciler.resolution().rules().match({unit, {}});
    if (rule == nullptr)
        return noRuleCovers(unit);
    if (const auto& error = reconciler.resolution().of(*rule).error)
        return failure(ErrorCode::KernelRefused,
                       "'" + unit + "' would start without the queues of its rule: " + error->message);
    const auto& fault = reconciler.guardFault();
    if (!reconciler.guard().inForce() || fault)
        return failure(
            ErrorCode::NoSuchUnit,
            "'" + unit + "' has no cgroup, and its first packets would pass (" +
                (fault ? fault->message : reconciler.guard().support().reason) +
                "); ask when it is there, as by ExecStartPre=+filterctl ensure %n in its unit file");
    return {};
}

Status Queues::ensure(const std::string& unit) {
    if (!isAnyUnitName(unit))
        return failure(
            ErrorCode::InvalidName,
            "'" + unit +
                "' is not a unit name with its suffix (nginx.service, user@1000.service/app.service)");
    if (!inForce_.reconciler().enforcing())
        return {}; // the administrator wants it so (I8)
    if (!units_.seek(unit))
        return ensureStart(unit);
    const auto* view = units_.find(unit);
    if (view == nullptr)
        return noRuleCovers(unit);
    if (view->state != UnitState::Attached)
        return failure(ErrorCode::KernelRefused,
                       "'" + unit + "' is " + std::string(toString(view->state)) + ": " + view->error);
    return {};
}

} // namespace filterd
