// What the outside sees of the units.

#include "app/reconciler.hpp"

#include <algorithm>

namespace filterd {

UnitView Reconciler::viewOf(const UnitCgroup& unit, const Rule& rule) const {
    UnitView view;
    view.name = unit.unit;
    view.cgroup = unit.cgroup;
    view.rule = rule.source;
    view.logOnly = rule.logOnly;
    const auto& wanted = queuesOf(rule);
    bool held = false;
    for (const auto direction : kDirections) {
        for (const auto& filter : rule.filters(direction))
            view.filters[indexOf(direction)].push_back(filter.text());
        const AttachPoint point{unit.cgroup.id, direction};
        if (const auto* attachment = observed_.at(point); attachment != nullptr)
            if (const auto queue = observed_.queues().find(attachment->queue);
                queue != observed_.queues().end())
                view.queues[indexOf(direction)] = queue->second;
        if (const auto failed = attachFailures_.find(point); failed != attachFailures_.end()) {
            view.state = UnitState::Failed;
            view.error = failed->second.message;
            view.errorCode = failed->second.code;
        }
        const auto& queue = wanted.queues[indexOf(direction)];
        view.held[indexOf(direction)] = queue && queue->hold;
        held = held || view.held[indexOf(direction)];
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
