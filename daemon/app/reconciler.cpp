#include "app/reconciler.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace filterd {

namespace {

std::optional<CgroupId> cgroupOf(const Action& action) {
    if (const auto* attach = std::get_if<AttachQueue>(&action))
        return attach->cgroup.id;
    if (const auto* replace = std::get_if<ReplaceQueue>(&action))
        return replace->cgroup.id;
    if (const auto* detach = std::get_if<DetachQueue>(&action))
        return detach->point.cgroup;
    if (const auto* collect = std::get_if<CollectLink>(&action))
        return collect->point.cgroup;
    return std::nullopt;
}

std::vector<FilterInstance> filtersOf(const Action& action) {
    if (const auto* build = std::get_if<BuildQueue>(&action))
        return build->queue.filters;
    if (const auto* unload = std::get_if<UnloadFilter>(&action))
        return {unload->filter};
    return {};
}

} // namespace

Reconciler::Reconciler(FilterKernel& kernel, CgroupTree& tree, Publisher& publisher, Inputs inputs)
    : kernel_(kernel), tree_(tree), publisher_(publisher), inputs_(inputs), guard_(kernel) {}

void Reconciler::useGuard(std::unique_ptr<GuardPort> guard, GuardSupport support) {
    guard_.use(std::move(guard), std::move(support));
}

Result<std::vector<FilterFacts>> Reconciler::observe() {
    present_.clear();
    scanTree();
    return observePins();
}

Result<std::vector<FilterFacts>> Reconciler::observePins() {
    auto state = kernel_.adopt();
    if (!state)
        return failure(state.error().context("read back the pins"));
    // Of a cgroup that is there, the link was detached by somebody else: it filters nothing.
    std::erase_if(state->attachments, [&](const auto& entry) {
        const auto& [point, attachment] = entry;
        return attachment.released && present_.contains(point.cgroup) && kernel_.detachQueue(point);
    });
    observed_ = Observed(*state);
    contents_ = std::move(state->contents);
    attachFailures_.clear();
    return std::move(state->filters);
}

void Reconciler::scanTree() {
    for (auto& unit : tree_.units())
        present_.emplace(unit.cgroup.id, std::move(unit));
}

std::vector<InForce> Reconciler::inForce() const {
    std::vector<InForce> found;
    for (const auto& [point, attachment] : observed_.attachments()) {
        if (found.empty() || found.back().unit.cgroup.id != point.cgroup) {
            const auto unit = present_.find(point.cgroup);
            const auto cgroup = unit == present_.end() ? tree_.find(point.cgroup) : unit->second.cgroup;
            if (!cgroup)
                continue; // its sockets may live on; no rule of ours would reach it
            found.push_back({unit == present_.end() ? UnitCgroup{cgroup->path, *cgroup} : unit->second, {}});
        }
        const auto queue = contents_.find(attachment.queue);
        if (queue == contents_.end() || queue->second.hold)
            found.back().isKnown = false;
        else
            found.back().queues[indexOf(point.direction)] = queue->second;
    }
    return found;
}

// ---- making it so ---------------------------------------------------------------------------------------

void Reconciler::logFailures(const std::vector<FailedAction>& failures) const {
    for (const auto& failed : failures) {
        log::Fields fields;
        if (const auto cgroup = cgroupOf(failed.action)) {
            fields.push_back(log::cgroup(cgroup->value));
            if (const auto unit = present_.find(*cgroup); unit != present_.end())
                fields.push_back(log::unit(unit->second.unit));
        }
        for (const auto& filter : filtersOf(failed.action))
            fields.push_back(log::filter(filter.name.text()));
        log::error(failed.error, std::move(fields));
    }
}

std::vector<FailedAction> Reconciler::run(Desired& desired, bool stopAtBuildFailure) {
    if (!enforcing_)
        desired.units.clear();
    return Executor(kernel_, observed_, statistics_.actions)
        .execute(planUnits(desired, observed_), stopAtBuildFailure);
}

void Reconciler::noteFailures(const std::vector<FailedAction>& failures) {
    for (const auto& failure : failures) {
        if (const auto* attach = std::get_if<AttachQueue>(&failure.action))
            attachFailures_.insert_or_assign({attach->cgroup.id, attach->direction}, failure.error);
        else if (const auto* replace = std::get_if<ReplaceQueue>(&failure.action))
            attachFailures_.insert_or_assign({replace->cgroup.id, replace->direction}, failure.error);
    }
}

std::vector<FailedAction> Reconciler::buildQueues(bool stopAtBuildFailure) {
    Desired desired;
    addNeeds(desired);
    return run(desired, stopAtBuildFailure);
}

// The rules enter the kernel before the tree is looked at: a unit that starts meanwhile is held, or found, or
// both.
Status Reconciler::arm() {
    std::vector<GuardedName> names;
    if (enforcing_)
        for (const auto& [rule, glob] : inputs_.rules.names())
            names.push_back({glob, &queuesOf(*rule)});
    const auto changed = guard_.arm(names);
    if (!changed)
        return failure(changed.error());
    if (*changed)
        scanTree();
    return {};
}

// Rules whose queue cannot be built get what their OnFailure says, and are tried again at the next change.
void Reconciler::reconcileAll() {
    attachFailures_.clear();
    broken_.clear();
    for (bool broken = true; broken;) {
        resolveRules();
        const auto failures = buildQueues(false);
        logFailures(failures);
        broken = false;
        for (const auto& failed : failures)
            if (const auto* build = std::get_if<BuildQueue>(&failed.action))
                broken |= broken_.emplace(idOf(build->queue), failed.error).second;
    }
    guardFault_.reset();
    if (auto armed = arm(); !armed) {
        guardFault_ = armed.error().context("the guard keeps its old rules");
        log::error(*guardFault_);
    }
    findBareCgroups();
    auto desired = desireAll();
    const auto failures = run(desired, false);
    logFailures(failures);
    noteFailures(failures);
    attendHolds();
    publishAll();
}

// What a user has added to a rule cannot keep anybody from changing that rule: his unit is held instead.
bool Reconciler::setUsersAside(const FailedAction& failed) {
    const auto* build = std::get_if<BuildQueue>(&failed.action);
    if (build == nullptr)
        return false;
    for (const auto& [rule, queues] : resolved_)
        for (const auto& queue : queues.queues)
            if (queue == build->queue && rule->source != kUserSource)
                return false;
    return broken_.emplace(idOf(build->queue), failed.error).second;
}

Status Reconciler::tryReconcileAll() {
    resolveRules();
    for (auto failures = buildQueues(true); !failures.empty(); failures = buildQueues(true)) {
        if (!setUsersAside(failures.front()))
            return failure(failures.front().error);
        resolveRules();
    }
    if (auto armed = arm(); !armed)
        return armed;
    findBareCgroups();
    auto desired = desireAll();
    if (const auto failures = run(desired, true); !failures.empty())
        return failure(failures.front().error);
    attachFailures_.clear();
    guardFault_.reset();
    attendHolds();
    publishAll();
    return {};
}

void Reconciler::reconcile(const std::vector<UnitCgroup>& units) {
    Desired desired;
    for (const auto& unit : units)
        desired.units.emplace(unit.cgroup.id, desire(unit));
    const auto failures = run(desired, false);
    logFailures(failures);
    noteFailures(failures);
    for (const auto& unit : units)
        publishUnit(unit);
}

void Reconciler::cgroupAppeared(const UnitCgroup& unit) {
    if (!present_.emplace(unit.cgroup.id, unit).second)
        return;
    if (ruleFor(unit) != nullptr)
        reconcile({unit});
}

std::optional<UnitCgroup> Reconciler::cgroupVanished(CgroupId id) {
    const auto found = present_.find(id);
    if (found == present_.end())
        return std::nullopt;
    auto unit = found->second;
    gone_.note(id, unit.unit);
    present_.erase(found);
    for (const auto direction : kDirections)
        attachFailures_.erase({id, direction});
    if (const auto view = views_.find(unit.unit); view != views_.end() && view->second.cgroup.id == id)
        withdraw(unit.unit);
    return unit;
}

bool Reconciler::collectReleased(const std::vector<CgroupId>& cgroups) {
    bool found = false;
    for (const auto cgroup : cgroups)
        for (const auto direction : kDirections)
            if (observed_.at({cgroup, direction}) != nullptr) {
                observed_.markReleased({cgroup, direction});
                found = true;
            }
    return found;
}

bool Reconciler::collectReleased() {
    for (const auto& point : kernel_.releasedAttachments())
        observed_.markReleased(point);
    collect();
    return std::any_of(observed_.attachments().begin(), observed_.attachments().end(),
                       [&](const auto& entry) { return !present_.contains(entry.first.cgroup); });
}

void Reconciler::collect() {
    Executor executor(kernel_, observed_, statistics_.actions);
    // Twice: a queue or a filter that only a released link held is free after the first round.
    for (int round = 0; round < 2; ++round) {
        Desired desired;
        addNeeds(desired);
        logFailures(executor.execute(planCollection(desired, observed_), false));
    }
    std::erase_if(contents_, [&](const auto& entry) { return !observed_.queues().contains(entry.first); });
}

} // namespace filterd
