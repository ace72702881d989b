// The queues that are set on the bus: in force wholly, or everything as before (I2).

#include "app/firewall.hpp"
#include "base/log.hpp"

namespace filterd {

void Firewall::tellReferences(const Rule& rule) {
    for (const auto direction : kDirections)
        for (const auto& name : rule.filters(direction))
            if (facts_.contains(name))
                publisher_.filterChanged(name);
}

// The rules are changed already; `before` is what they go back to if that cannot be brought into force.
Status Firewall::tryRules(Rules before, Trials trialsBefore) {
    refreshReferenced();
    auto done = reconciler_.tryReconcileAll();
    if (!done) {
        rules_ = std::move(before);
        trials_ = std::move(trialsBefore);
        reconciler_.reconcileAll();
        finish();
        return done;
    }
    publisher_.countsChanged();
    finish();
    return {};
}

// What the rule names is loaded, from its file if need be, and may stand where the rule has it.
Status Firewall::loadFor(const Rule& rule) {
    for (const auto direction : kDirections) {
        for (const auto& name : rule.filters(direction))
            if (auto loaded = loadWanted(name); !loaded)
                return loaded;
        if (auto queue = resolveQueue(rule, direction, loaded_, {}); !queue)
            return failure(queue.error());
    }
    return {};
}

std::string Firewall::seenPath(const std::string& target) const {
    if (target.starts_with('/')) {
        auto cgroup = tree_.find(target); // it may be gone
        return cgroup ? cgroup->path : cgroupPath(target);
    }
    return primaryUnit(units_, target);
}

Status Firewall::setQueue(Rule rule, std::optional<std::uint64_t> deadline) {
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
    target = primaryUnit(units_, target);
    return setRule(rule, deadline);
}

Status Firewall::setRule(const Rule& rule, std::optional<std::uint64_t> deadline) {
    const auto& target = rule.targets.front();
    if (auto usable = loadFor(rule); !usable) {
        finish(); // what was loaded for it goes again
        return usable;
    }
    auto before = rules_;
    auto trialsBefore = trials_;
    const auto ruleBefore = busRule(target);
    if (auto set = rules_.set(rule); !set) {
        finish();
        return set;
    }
    if (deadline)
        trials_.start({target, *deadline, ruleBefore});
    else if (rule.source == kBusSource)
        trials_.end(target);
    if (auto done = tryRules(std::move(before), std::move(trialsBefore)); !done)
        return done;
    rulesHook_(target);
    log::info("queue set for " + target, {log::id(log::Message::QueueSet), log::unit(target)});
    tellReferences(rule);
    return {};
}

Status Firewall::resetQueue(const std::string& target) {
    auto before = rules_;
    auto trialsBefore = trials_;
    const auto name = seenPath(target);
    if (!rules_.reset(name) && !rules_.resetOfUser(name))
        return failure(ErrorCode::NoSuchRule, "no queue was set on the bus for '" + target + "'");
    trials_.end(name);
    if (auto done = tryRules(before, std::move(trialsBefore)); !done)
        return done;
    rulesHook_({});
    log::info("queue reset for " + target, {log::id(log::Message::QueueReset), log::unit(target)});
    for (const auto* rule : before.ordered())
        tellReferences(*rule);
    return {};
}

Result<const UnitView*> Firewall::guardedUnit(const std::string& nameOrPath) const {
    const auto seen = seenPath(nameOrPath);
    const bool isPath = seen.starts_with('/');
    const auto name = isPath ? unitOfCgroupPath(seen) : seen;
    if (const auto* view = reconciler_.find(name.empty() ? seen : name);
        view != nullptr && (!isPath || view->cgroup.path == seen))
        return view;
    const std::string quoted = "'" + nameOrPath + "'";
    if (!enforcing())
        return failure(ErrorCode::NoSuchUnit,
                       "everything is switched off, and " + quoted + " with it, until 'filterctl on'");
    if (rules_.match({name, isPath ? seen : std::string()}) != nullptr)
        return failure(
            ErrorCode::NoSuchUnit,
            quoted + " has no cgroup, it does not run; the rule that covers it counts from its start on");
    return failure(ErrorCode::NoSuchUnit, "no rule covers " + quoted);
}

namespace {

tl::unexpected<Error> noRuleCovers(const std::string& unit) {
    return failure(ErrorCode::NoSuchRule, "no rule covers '" + unit +
                                              "'; set its queue, or take the call out of "
                                              "its unit file");
}

} // namespace

// A unit without a cgroup has sent no packet. What counts is that the guard will know it by its name, and
// that its queues stand ready.
Status Firewall::ensureStart(const std::string& name) const {
    const auto* rule = rules_.match({name, {}});
    if (rule == nullptr)
        return noRuleCovers(name);
    if (const auto error = reconciler_.errorOf(*rule))
        return failure(ErrorCode::KernelRefused,
                       "'" + name + "' would start without the queues of its rule: " + error->message);
    const auto& fault = reconciler_.guardFault();
    if (!reconciler_.guard().inForce() || fault)
        return failure(
            ErrorCode::NoSuchUnit,
            "'" + name + "' has no cgroup, and its first packets would pass (" +
                (fault ? fault->message : reconciler_.guard().support().reason) +
                "); ask when it is there, as by ExecStartPre=+filterctl ensure %n in its unit file");
    return {};
}

Status Firewall::ensureUnit(const std::string& name) {
    if (!isAnyUnitName(name))
        return failure(
            ErrorCode::InvalidName,
            "'" + name +
                "' is not a unit name with its suffix (nginx.service, user@1000.service/app.service)");
    if (!enforcing())
        return {}; // the administrator wants it so (I8)
    if (!findUnit(name))
        return ensureStart(name);
    const auto* view = reconciler_.find(name);
    if (view == nullptr)
        return noRuleCovers(name);
    if (view->state != UnitState::Attached)
        return failure(ErrorCode::KernelRefused,
                       "'" + name + "' is " + std::string(toString(view->state)) + ": " + view->error);
    return {};
}

} // namespace filterd
