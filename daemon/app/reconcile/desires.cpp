// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/desires.hpp"

namespace filterd {

DesiredUnit desire(const Resolution& resolution, const UnitCgroup& unit) {
    DesiredUnit desired{unit.cgroup, {}};
    if (const auto* rule = resolution.ruleFor(unit))
        for (const auto direction : kDirections)
            if (const auto& queue = resolution.of(*rule).queues[indexOf(direction)])
                desired.queues[indexOf(direction)] = queue->id();
    return desired;
}

// Links of cgroups whose directory is gone wait for the kernel's word that they are released. With the last
// rule goes the guard, which would tell; but then no rule wants them either (I4).
Desired desireAll(const Resolution& resolution, const PresentUnits& present, const Observed& observed) {
    Desired desired{{}, resolution.queues(), {}};
    for (const auto& [id, unit] : present.all())
        desired.units.emplace(id, desire(resolution, unit));
    if (resolution.all().empty())
        for (const auto& [point, attachment] : observed.attachments())
            if (!present.contains(point.cgroup))
                desired.units.emplace(point.cgroup, DesiredUnit{{point.cgroup, ""}, {}});
    return desired;
}

bool isInForce(const DesiredUnit& unit, const Observed& observed) {
    for (const auto direction : kDirections) {
        const auto& queue = unit.queues[indexOf(direction)];
        const auto* attachment = observed.at({unit.cgroup.id, direction});
        if (queue && (attachment == nullptr || attachment->queue != *queue))
            return false;
    }
    return true;
}

bool isOfUsersAlone(const Resolution& resolution, const NamedQueue& queue) {
    for (const auto& [rule, queues] : resolution.all())
        for (const auto& one : queues.queues)
            if (one == queue && rule->source != kUserSource)
                return false;
    return true;
}

Status checkCombined(const Resolution& resolution, const std::string& unit) {
    const auto* combined = resolution.rules().match({unit, {}});
    if (combined == nullptr || !combined->broken.empty()) // that is the administrator's
        return {};
    const auto& error = resolution.of(*combined).error;
    return error ? Status(failure(*error)) : Status();
}

void noteFailures(const std::vector<FailedAction>& failures, AttachFailures& noted) {
    for (const auto& failure : failures) {
        if (const auto* attach = std::get_if<AttachQueue>(&failure.action))
            noted.insert_or_assign({attach->cgroup.id, attach->direction}, failure.error);
        else if (const auto* replace = std::get_if<ReplaceQueue>(&failure.action))
            noted.insert_or_assign({replace->cgroup.id, replace->direction}, failure.error);
    }
}

UnitView viewOf(const UnitCgroup& unit, const Rule& rule, const RuleQueues& wanted, const Observed& observed,
                const AttachFailures& failures) {
    UnitView view;
    view.name = unit.unit;
    view.cgroup = unit.cgroup;
    view.rule = rule.source;
    view.logOnly = rule.logOnly;
    bool held = false;
    for (const auto direction : kDirections) {
        const auto index = indexOf(direction);
        view.filters[index] = textsOf(rule.filters(direction));
        const AttachPoint point{unit.cgroup.id, direction};
        if (const auto* attachment = observed.at(point); attachment != nullptr)
            if (const auto queue = observed.queues().find(attachment->queue);
                queue != observed.queues().end())
                view.queues[index] = queue->second;
        if (const auto failed = failures.find(point); failed != failures.end()) {
            view.state = UnitState::Failed;
            view.error = failed->second.message;
            view.errorCode = failed->second.code;
        }
        view.held[index] = wanted.queues[index] && (*wanted.queues[index])->hold;
        held = held || view.held[index];
    }
    if (wanted.error) {
        view.state = held ? UnitState::Held : UnitState::Failed;
        view.error = wanted.error->message;
        view.errorCode = wanted.error->code;
    }
    return view;
}

} // namespace filterd
