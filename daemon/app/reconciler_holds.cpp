// Units that the guard holds get queues of their own, and their holds end.

#include "app/reconciler.hpp"
#include "base/clock.hpp"

#include <chrono>

namespace filterd {

// Whether the unit's own links filter as its rule says, so that it needs no hold any more.
bool Reconciler::isSettled(const UnitCgroup& unit) const {
    const auto desired = desire(unit);
    for (const auto direction : kDirections) {
        const auto& queue = desired.queues[indexOf(direction)];
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

} // namespace filterd
