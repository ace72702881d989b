#include "app/reconciler.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <chrono>

namespace filterd {

namespace {

constexpr std::size_t index(Direction direction) { return static_cast<std::size_t>(direction); }

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
            found.back().queues[index(point.direction)] = queue->second;
    }
    return found;
}

// ---- what is wanted -------------------------------------------------------------------------------------

void Reconciler::resolveRules() {
    resolved_.clear();
    for (const auto* rule : inputs_.rules.ordered()) {
        auto queues = resolveRule(*rule, inputs_.filters, inputs_.failures);
        for (const auto& queue : queues.queues)
            if (const auto known = queue ? broken_.find(idOf(*queue)) : broken_.end();
                known != broken_.end()) {
                queues = failedQueues(*rule, known->second);
                break;
            }
        for (const auto& queue : queues.queues)
            if (queue)
                contents_[idOf(*queue)] = *queue;
        resolved_.emplace(rule, std::move(queues));
    }
}

// A rule may name a cgroup that is no unit's; nothing else tells that it is there.
void Reconciler::findBareCgroups() {
    std::set<std::string> bare;
    for (const auto* rule : inputs_.rules.ordered())
        for (const auto& target : rule->targets)
            if (target.starts_with('/') && unitOfCgroupPath(target).empty())
                bare.insert(target);
    followBareCgroups_(bare);
    for (const auto& path : bare)
        if (auto cgroup = tree_.find(path); cgroup && !present_.contains(cgroup->id))
            present_.emplace(cgroup->id, UnitCgroup{cgroup->path, *cgroup});
}

const Rule* Reconciler::ruleFor(const UnitCgroup& unit) const {
    return inputs_.rules.match({unit.unit, unit.cgroup.path});
}

DesiredUnit Reconciler::desire(const UnitCgroup& unit) const {
    const auto* rule = ruleFor(unit);
    return {unit.cgroup, rule == nullptr ? decltype(DesiredUnit::queues){} : queuesOf(*rule).queues};
}

void Reconciler::addNeeds(Desired& desired) const {
    for (const auto& [rule, queues] : resolved_)
        for (const auto& queue : queues.queues)
            if (queue)
                desired.queues.emplace(idOf(*queue), *queue);
    for (const auto& [name, filter] : inputs_.filters)
        if (isNeeded(name))
            desired.filters.insert(filter.instance);
}

// Links of cgroups whose directory is gone wait for the kernel's word that they are released. With the last
// rule goes the guard, which would tell; but then no rule wants them either (I4).
void Reconciler::letGoOfVanished(Desired& desired) const {
    for (const auto& [point, attachment] : observed_.attachments())
        if (!present_.contains(point.cgroup))
            desired.units.emplace(point.cgroup, DesiredUnit{{point.cgroup, ""}, {}});
}

Desired Reconciler::desireAll() const {
    Desired desired;
    for (const auto& [id, unit] : present_)
        desired.units.emplace(id, desire(unit));
    if (inputs_.rules.ordered().empty())
        letGoOfVanished(desired);
    addNeeds(desired);
    return desired;
}

bool Reconciler::isNeeded(const FilterName& filter) const {
    if (inputs_.referenced.contains(filter))
        return true;
    const auto names = [&](const std::vector<FilterName>& list) {
        return std::find(list.begin(), list.end(), filter) != list.end();
    };
    for (const auto* rule : inputs_.rules.ordered())
        if (names(rule->ingress) || names(rule->egress))
            return true;
    return std::any_of(contents_.begin(), contents_.end(), [&](const auto& entry) {
        const auto& filters = entry.second.filters;
        return observed_.isAttachedAnywhere(entry.first) &&
               std::any_of(filters.begin(), filters.end(),
                           [&](const auto& one) { return one.name == filter; });
    });
}

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

// ---- making it so ---------------------------------------------------------------------------------------

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

// Whether the unit's own links filter as its rule says, so that it needs no hold any more.
bool Reconciler::isSettled(const UnitCgroup& unit) const {
    const auto desired = desire(unit);
    for (const auto direction : kDirections) {
        const auto& queue = desired.queues[index(direction)];
        const auto* attachment = observed_.at({unit.cgroup.id, direction});
        if (queue && (attachment == nullptr || attachment->queue != idOf(*queue)))
            return false;
    }
    return true;
}

void Reconciler::attend(const UnitCgroup& found, std::set<CgroupId>& settled) {
    const auto& unit = present_.emplace(found.cgroup.id, found).first->second;
    if (!isSettled(unit))
        reconcile({unit});
    if (isSettled(unit))
        settled.insert(unit.cgroup.id);
}

void Reconciler::countHold(const Hold& hold) {
    ++statistics_.holds;
    const auto now = monotonicNanoseconds();
    if (hold.madeAt != 0 && hold.madeAt <= now)
        statistics_.attachLatency.add(std::chrono::duration_cast<LatencyHistogram::Duration>(
            std::chrono::nanoseconds(now - hold.madeAt)));
}

void Reconciler::attendAll() {
    std::set<CgroupId> settled; // what is held besides is in the list of holds
    for (const auto& unit : tree_.units())
        if (ruleFor(unit) != nullptr)
            attend(unit, settled);
}

// A hold whose directory is gone is left to the kernel: sockets may live on.
void Reconciler::attendHolds() {
    std::set<CgroupId> settled;
    std::vector<Hold> cutOff;
    for (const auto& hold : guard_.unattended())
        if (hold.lostUnits > 0)
            cutOff.push_back(hold);
        else if (const auto cgroup = tree_.find(hold.cgroup)) {
            attend({unitOfCgroupPath(cgroup->path), *cgroup}, settled);
            if (settled.contains(hold.cgroup))
                countHold(hold);
        }
    if (!cutOff.empty())
        attendAll();
    guard_.releaseLater(settled);
    for (const auto& manager : cutOff)
        guard_.endCutOffLater(manager);
    if (guard_.overflows()) {
        ++statistics_.overflows;
        attendAll();
        guard_.endOverflowLater();
    }
}

void Reconciler::graceFinished() {
    if (guard_.graceFinished())
        attendHolds();
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

// ---- what the outside sees ------------------------------------------------------------------------------

UnitView Reconciler::viewOf(const UnitCgroup& unit, const Rule& rule) const {
    UnitView view;
    view.name = unit.unit;
    view.cgroup = unit.cgroup;
    view.rule = rule.source;
    const auto& wanted = queuesOf(rule);
    bool held = false;
    for (const auto direction : kDirections) {
        for (const auto& filter : rule.filters(direction))
            view.filters[index(direction)].push_back(filter.text());
        const AttachPoint point{unit.cgroup.id, direction};
        if (const auto* attachment = observed_.at(point); attachment != nullptr)
            if (const auto queue = observed_.queues().find(attachment->queue);
                queue != observed_.queues().end())
                view.queues[index(direction)] = queue->second;
        if (const auto failed = attachFailures_.find(point); failed != attachFailures_.end()) {
            view.state = UnitState::Failed;
            view.error = failed->second.message;
            view.errorCode = failed->second.code;
        }
        held = held || (wanted.queues[index(direction)] && wanted.queues[index(direction)]->hold);
    }
    if (wanted.error) {
        view.state = held ? UnitState::Held : UnitState::Failed;
        view.error = wanted.error->message;
        view.errorCode = wanted.error->code;
    }
    return view;
}

void Reconciler::publishUnit(const UnitCgroup& unit) {
    const auto* rule = enforcing_ ? ruleFor(unit) : nullptr;
    if (rule == nullptr) {
        withdraw(unit.unit);
        return;
    }
    auto view = viewOf(unit, *rule);
    const auto known = views_.find(unit.unit);
    if (known == views_.end()) {
        publisher_.unitAppeared(views_.emplace(unit.unit, std::move(view)).first->second);
        publisher_.countsChanged();
    } else if (known->second != view) {
        const auto before = std::exchange(known->second, std::move(view));
        publisher_.unitChanged(before, known->second);
    }
}

void Reconciler::publishAll() {
    std::vector<std::string> gone;
    for (const auto& [name, view] : views_)
        if (const auto found = present_.find(view.cgroup.id);
            found == present_.end() || found->second.unit != name)
            gone.push_back(name);
    for (const auto& name : gone)
        withdraw(name);
    for (const auto& [id, unit] : present_)
        publishUnit(unit);
}

void Reconciler::withdraw(const std::string& name) {
    if (views_.erase(name) == 0)
        return;
    publisher_.unitVanished(name);
    publisher_.countsChanged();
}

const UnitView* Reconciler::find(const std::string& unit) const {
    const auto found = views_.find(unit);
    return found == views_.end() ? nullptr : &found->second;
}

std::vector<std::string> Reconciler::unitsRunning(const FilterName& filter) const {
    std::vector<std::string> names;
    for (const auto& [name, view] : views_)
        for (const auto& filters : view.filters)
            if (std::find(filters.begin(), filters.end(), filter.text()) != filters.end()) {
                names.push_back(name);
                break;
            }
    return names;
}

bool Reconciler::exists(const std::string& unit) const {
    return std::any_of(present_.begin(), present_.end(),
                       [&](const auto& entry) { return entry.second.unit == unit; });
}

} // namespace filterd
