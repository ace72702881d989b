// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/plan/plan.hpp"

#include <type_traits>

namespace filterd {

namespace {

void planDirection(const DesiredUnit& unit, Direction direction, const Observed& observed,
                   std::vector<Action>& actions) {
    const AttachPoint point{unit.cgroup.id, direction};
    const auto& wanted = unit.queues[indexOf(direction)];
    const Attachment* present = observed.at(point);
    if (present != nullptr && present->released)
        return; // planCollection takes it away
    if (!wanted) {
        if (present != nullptr)
            actions.emplace_back(DetachQueue{point});
        return;
    }
    if (present == nullptr)
        actions.emplace_back(AttachQueue{unit.cgroup, direction, *wanted});
    else if (present->queue != *wanted)
        actions.emplace_back(ReplaceQueue{unit.cgroup, direction, *wanted});
}

struct Describe {
    std::string operator()(const BuildQueue& a) const {
        return "build queue " + a.queue.id().text + " (" + std::string(toString(a.queue->direction)) + ")";
    }
    std::string operator()(const AttachQueue& a) const {
        return "attach queue " + a.queue.text + " to " + a.cgroup.path + " " +
               std::string(toString(a.direction));
    }
    std::string operator()(const ReplaceQueue& a) const {
        return "replace queue of " + a.cgroup.path + " " + std::string(toString(a.direction)) + " by " +
               a.queue.text;
    }
    std::string operator()(const DetachQueue& a) const {
        return "detach queue of cgroup " + std::to_string(a.point.cgroup.value) + " " +
               std::string(toString(a.point.direction));
    }
    std::string operator()(const CollectLink& a) const {
        return "collect link of released cgroup " + std::to_string(a.point.cgroup.value) + " " +
               std::string(toString(a.point.direction));
    }
    std::string operator()(const DropQueue& a) const { return "drop queue " + a.queue.text; }
    std::string operator()(const UnloadFilter& a) const { return "unload filter " + a.filter.name.text(); }
};

} // namespace

std::vector<Action> planUnits(const Desired& desired, const Observed& observed) {
    std::vector<Action> actions;
    for (const auto& [id, queue] : desired.queues)
        if (!observed.queues().contains(id))
            actions.emplace_back(BuildQueue{queue});
    for (const auto& [id, unit] : desired.units)
        for (const auto direction : kDirections)
            planDirection(unit, direction, observed, actions);
    return actions;
}

std::vector<Action> planReleased(const Observed& observed) {
    std::vector<Action> actions;
    for (const auto& point : observed.released())
        actions.emplace_back(CollectLink{point});
    return actions;
}

std::vector<Action> planCollection(const Desired& desired, const Observed& observed) {
    std::vector<Action> actions;
    for (const auto& [id, facts] : observed.queues())
        if (!desired.queues.contains(id) && !observed.isAttachedAnywhere(id))
            actions.emplace_back(DropQueue{id});
    for (const auto& filter : observed.filters())
        if (!desired.filters.contains(filter))
            actions.emplace_back(UnloadFilter{filter});
    return actions;
}

std::string describe(const Action& action) { return std::visit(Describe{}, action); }

} // namespace filterd
