// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/kernel_queues.hpp"

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
        return build->queue->filters;
    if (const auto* unload = std::get_if<UnloadFilter>(&action))
        return {unload->filter};
    return {};
}

} // namespace

Result<std::vector<FilterFacts>> KernelQueues::observe() {
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
    return std::move(state->filters);
}

void KernelQueues::logFailures(const std::vector<FailedAction>& failures) const {
    for (const auto& failed : failures) {
        log::Fields fields;
        if (const auto cgroup = cgroupOf(failed.action)) {
            fields.push_back(log::cgroup(cgroup->value));
            if (const auto* unit = present_.find(*cgroup))
                fields.push_back(log::unit(unit->unit));
        }
        for (const auto& filter : filtersOf(failed.action))
            fields.push_back(log::filter(filter.name.text()));
        log::error(failed.error, std::move(fields));
    }
}

void KernelQueues::unload(const FilterInstance& filter) {
    logFailures(Executor(kernel_, observed_, counts_).execute({UnloadFilter{filter}}, false));
}

// Who asks for everything or nothing tells the caller of what fails, and the journal of nothing. What is not
// finished yet has not failed.
std::vector<FailedAction> KernelQueues::run(const Desired& desired, bool stopAtBuildFailure) {
    for (const auto& [id, queue] : desired.queues)
        contents_.try_emplace(id, *queue);
    auto failures =
        Executor(kernel_, observed_, counts_).execute(planUnits(desired, observed_), stopAtBuildFailure);
    if (!stopAtBuildFailure && !kernel_.isWaiting())
        logFailures(failures);
    return failures;
}

void KernelQueues::collectReleased() {
    logFailures(Executor(kernel_, observed_, counts_).execute(planReleased(observed_), false));
}

void KernelQueues::collect(const Desired& desired) {
    logFailures(Executor(kernel_, observed_, counts_).execute(planCollection(desired, observed_), false));
    std::erase_if(contents_, [&](const auto& entry) { return !observed_.queues().contains(entry.first); });
}

bool KernelQueues::release(const std::vector<CgroupId>& cgroups) {
    bool found = false;
    for (const auto cgroup : cgroups)
        for (const auto direction : kDirections)
            if (observed_.at({cgroup, direction}) != nullptr) {
                observed_.markReleased({cgroup, direction});
                found = true;
            }
    return found;
}

bool KernelQueues::lookForReleased() {
    for (const auto& point : kernel_.releasedAttachments())
        observed_.markReleased(point);
    return std::any_of(
        observed_.attachments().begin(), observed_.attachments().end(),
        [&](const auto& entry) { return !entry.second.released && !present_.contains(entry.first.cgroup); });
}

const Queue* KernelQueues::attachedAt(AttachPoint point) const {
    const auto* attachment = observed_.at(point);
    const auto queue = attachment == nullptr ? contents_.end() : contents_.find(attachment->queue);
    return queue == contents_.end() ? nullptr : &queue->second;
}

std::vector<InForce> KernelQueues::inForce() const {
    std::vector<InForce> found;
    for (const auto& [point, attachment] : observed_.attachments()) {
        if (found.empty() || found.back().unit.cgroup.id != point.cgroup) {
            const auto* unit = present_.find(point.cgroup);
            const auto cgroup = unit == nullptr ? tree_.find(point.cgroup) : unit->cgroup;
            if (!cgroup)
                continue; // its sockets may live on; no rule of ours would reach it
            found.push_back({unit == nullptr ? UnitCgroup{cgroup->path, *cgroup} : *unit, {}});
        }
        const auto* queue = attachedAt(point);
        if (queue == nullptr || queue->hold)
            found.back().isKnown = false;
        else
            found.back().queues[indexOf(point.direction)] = *queue;
    }
    return found;
}

std::set<FilterName> KernelQueues::attachedFilters() const {
    std::set<FilterName> names;
    for (const auto& [id, queue] : contents_)
        if (observed_.isAttachedAnywhere(id))
            for (const auto& filter : queue.filters)
                names.insert(filter.name);
    return names;
}

} // namespace filterd
