// What the rules want of the kernel.

#include "app/reconciler.hpp"

#include <algorithm>

namespace filterd {

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

} // namespace filterd
