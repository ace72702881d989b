// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/reconciler.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace filterd {

Reconciler::Reconciler(FilterKernel& kernel, CgroupTree& tree, Observer& observer, HeldStart guard,
                       FollowBareCgroups follow)
    : kernel_(kernel), tree_(tree), followBareCgroups_(std::move(follow)), present_(tree),
      queues_(kernel, tree, present_, statistics_.actions), guard_(kernel, statistics_, std::move(guard)),
      views_(observer) {}

Result<std::vector<FilterFacts>> Reconciler::observe() {
    present_.scanAnew();
    return observePins();
}

Result<std::vector<FilterFacts>> Reconciler::observePins() {
    auto filters = queues_.observe();
    if (filters)
        attachFailures_.clear();
    return filters;
}

// ---- all units ------------------------------------------------------------------------------------------

std::vector<FailedAction> Reconciler::run(Desired desired, bool stopAtBuildFailure) {
    if (!enforcing_)
        desired.units.clear();
    return queues_.run(desired, stopAtBuildFailure);
}

std::vector<FailedAction> Reconciler::buildQueues(const Intent& intent, bool stopAtBuildFailure) {
    resolution_ = Resolution(intent.rules, intent.filters, intent.definitions.failures(), broken_);
    return queues_.run({{}, resolution_.queues(), {}}, stopAtBuildFailure);
}

// The rules enter the kernel before the tree is looked at: a unit that starts meanwhile is held, or found, or
// both.
Status Reconciler::installRules() {
    std::vector<GuardedName> names;
    if (enforcing_)
        for (const auto& [rule, glob] : resolution_.rules().names())
            names.push_back({glob, &resolution_.of(*rule)});
    const auto changed = guard_.installRules(names);
    if (!changed)
        return failure(changed.error());
    if (*changed)
        present_.scan();
    return {};
}

Reconciler::Earlier Reconciler::takeEarlier() {
    return {std::exchange(resolution_, {}), std::exchange(broken_, {})};
}

// No unit has been touched yet, and the guard has its old rules.
Status Reconciler::backTo(Earlier earlier) {
    resolution_ = std::move(earlier.resolution);
    broken_ = std::move(earlier.broken);
    return failure(ErrorCode::Internal, "the programs of its queues are not verified yet");
}

// Rules whose queue cannot be built get what their OnFailure says, and are tried again at the next change.
void Reconciler::buildPossible(const Intent& intent) {
    for (bool broken = true; broken && !kernel_.isWaiting();) {
        broken = false;
        for (const auto& failed : buildQueues(intent, false))
            if (const auto* build = std::get_if<BuildQueue>(&failed.action))
                broken |= broken_.emplace(build->queue.id(), failed.error).second;
    }
}

// Units whose rules wait for filters that are on their way stay as they are.
Desired Reconciler::desireReady(const Intent& intent) const {
    auto desired = desireAll(resolution_, present_, queues_.observed());
    const auto& awaited = intent.definitions.awaited();
    const auto isAwaited = [&](const FilterName& name) { return awaited.contains(name); };
    if (!awaited.empty())
        std::erase_if(desired.units, [&](const auto& entry) {
            const auto* unit = present_.find(entry.first);
            const auto* rule = unit == nullptr ? nullptr : resolution_.ruleFor(*unit);
            return rule != nullptr && resolution_.of(*rule).error &&
                   std::any_of(kDirections.begin(), kDirections.end(), [&](Direction direction) {
                       const auto& names = rule->filters(direction);
                       return std::any_of(names.begin(), names.end(), isAwaited);
                   });
        });
    return desired;
}

Status Reconciler::reconcileAll(const Intent& intent, Refused refused) {
    auto earlier = takeEarlier();
    if (refused == Refused::Stay)
        broken_ = earlier.broken;
    buildPossible(intent);
    if (kernel_.isWaiting())
        return backTo(std::move(earlier));
    auto installed = installRules();
    if (kernel_.isWaiting())
        return backTo(std::move(earlier));
    guardFault_.reset();
    if (!installed) {
        guardFault_ = installed.error().context("the guard keeps its old rules");
        log::error(*guardFault_);
    }
    attachFailures_.clear();
    findBareCgroups();
    noteFailures(run(desireReady(intent), false), attachFailures_);
    attachHeld();
    publishAll();
    return {};
}

// What a user has added to a rule cannot keep anybody else from changing that rule: their unit is held
// instead.
Status Reconciler::buildAll(const Intent& intent, const std::string& bound) {
    for (auto failures = buildQueues(intent, true); !failures.empty(); failures = buildQueues(intent, true)) {
        const auto& failed = failures.front();
        const auto* build = std::get_if<BuildQueue>(&failed.action);
        if (kernel_.isWaiting() || build == nullptr || !isOfUsersAlone(resolution_, build->queue) ||
            !broken_.emplace(build->queue.id(), failed.error).second)
            return failure(failed.error);
    }
    return bound.empty() ? Status() : checkCombined(resolution_, bound);
}

Status Reconciler::tryReconcileAll(const Intent& intent, const std::string& bound) {
    auto earlier = takeEarlier();
    broken_ = earlier.broken;
    auto ready = buildAll(intent, bound);
    if (ready)
        ready = installRules();
    if (kernel_.isWaiting())
        return backTo(std::move(earlier));
    if (!ready)
        return ready;
    findBareCgroups();
    if (const auto failures = run(desireReady(intent), true); !failures.empty())
        return failure(failures.front().error);
    attachFailures_.clear();
    guardFault_.reset();
    attachHeld();
    publishAll();
    return {};
}

void Reconciler::collect(std::set<FilterInstance> needed) {
    queues_.collect({{}, resolution_.queues(), std::move(needed)});
}

// A rule may name a cgroup that is no unit's; nothing else tells that it is there.
void Reconciler::findBareCgroups() {
    std::set<std::string> bare;
    for (const auto* rule : resolution_.rules().ordered())
        for (const auto& target : rule->targets)
            if (target.starts_with('/') && unitOfCgroupPath(target).empty())
                bare.insert(target);
    followBareCgroups_(bare);
    for (const auto& path : bare)
        if (auto cgroup = tree_.find(path))
            present_.add({cgroup->path, *cgroup});
}

// ---- one unit -------------------------------------------------------------------------------------------

void Reconciler::reconcile(const UnitCgroup& unit) {
    Desired desired;
    if (const auto* rule = resolution_.ruleFor(unit))
        for (const auto& queue : resolution_.of(*rule).queues)
            if (queue)
                desired.queues.emplace(queue->id(), *queue);
    desired.units.emplace(unit.cgroup.id, desire(resolution_, unit));
    noteFailures(run(std::move(desired), false), attachFailures_);
    publish(unit);
}

void Reconciler::cgroupAppeared(const UnitCgroup& unit) {
    if (present_.contains(unit.cgroup.id))
        return;
    present_.add(unit);
    if (covers(unit))
        reconcile(unit);
}

std::optional<UnitCgroup> Reconciler::cgroupVanished(CgroupId cgroup) {
    auto unit = present_.remove(cgroup);
    if (!unit)
        return unit;
    for (const auto direction : kDirections)
        attachFailures_.erase({cgroup, direction});
    if (const auto* view = views_.find(unit->unit); view != nullptr && view->cgroup.id == cgroup)
        views_.withdraw(unit->unit);
    return unit;
}

bool Reconciler::covers(const UnitCgroup& unit) const { return resolution_.ruleFor(unit) != nullptr; }

bool Reconciler::settle(const UnitCgroup& unit) {
    const auto& known = present_.add(unit);
    const auto isSettled = [&] { return isInForce(desire(resolution_, known), queues_.observed()); };
    if (!isSettled())
        reconcile(known);
    return isSettled();
}

void Reconciler::graceFinished() {
    if (guard_.graceFinished())
        attachHeld();
}

// ---- what the outside sees ------------------------------------------------------------------------------

void Reconciler::publish(const UnitCgroup& unit) {
    if (const auto* rule = enforcing_ ? resolution_.ruleFor(unit) : nullptr)
        views_.publish(viewOf(unit, *rule, resolution_.of(*rule), queues_.observed(), attachFailures_));
    else
        views_.withdraw(unit.unit);
}

void Reconciler::publishAll() {
    std::vector<std::string> gone;
    for (const auto& [name, view] : views_.all())
        if (const auto* found = present_.find(view.cgroup.id); found == nullptr || found->unit != name)
            gone.push_back(name);
    for (const auto& name : gone)
        views_.withdraw(name);
    for (const auto& [id, unit] : present_.all())
        publish(unit);
}

} // namespace filterd
