// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/drops/drop_origins.hpp"

#include <algorithm>
#include <iterator>

namespace filterd {

namespace {

bool decides(const Queue& queue, const std::string& filter) {
    if (filter.empty())
        return queue.hold;
    return std::any_of(queue.filters.begin(), queue.filters.end(),
                       [&](const FilterInstance& one) { return one.name.text() == filter; });
}

} // namespace

DropOrigin DropOrigins::of(const DropReport& report) const {
    DropOrigin origin;
    if (report.programId != 0) {
        const auto* name = inForce_.instances().filterOfProgram(report.programId);
        origin.filter = name != nullptr ? *name : "program " + std::to_string(report.programId);
    }
    origin.unit = unitOf(report, origin.filter);
    return origin;
}

// Returns the queue that judges the packets of a cgroup's own rule: what is attached to it, or, through the
// gate, what its rule wants.
const Queue* DropOrigins::queueAt(CgroupId cgroup, const DropReport& report) const {
    const auto& reconciler = inForce_.reconciler();
    const AttachPoint point{cgroup, report.direction};
    if (reconciler.queues().observed().at(point) != nullptr)
        return reconciler.queues().attachedAt(point);
    if (!report.interim)
        return nullptr;
    const auto& resolution = reconciler.resolution();
    const auto* unit = reconciler.present().find(cgroup);
    const auto* rule = unit == nullptr ? resolution.rules().match({reconciler.present().nameOf(cgroup), {}})
                                       : resolution.ruleFor(*unit);
    if (rule == nullptr)
        return nullptr;
    const auto& queue = resolution.of(*rule).queues[indexOf(report.direction)];
    return queue ? &**queue : nullptr;
}

// The deepest whose queue has that filter: queues of slices above judge the packet, too. A queue that was
// replaced since has it no more; then the deepest that has one.
std::string DropOrigins::unitOf(const DropReport& report, const std::string& filter) const {
    std::vector<CgroupId> deepestFirst{report.cgroup}; // which may be deeper than what is told of those above
    std::copy(report.ancestors.rbegin(), report.ancestors.rend(), std::back_inserter(deepestFirst));
    const auto& reconciler = inForce_.reconciler();
    const auto& present = reconciler.present();
    for (const auto& cgroup : deepestFirst)
        if (const auto* queue = queueAt(cgroup, report); queue != nullptr && decides(*queue, filter))
            return present.nameOf(cgroup);
    for (const auto& cgroup : deepestFirst)
        if (reconciler.queues().observed().at({cgroup, report.direction}) != nullptr)
            return present.nameOf(cgroup);
    for (const auto& cgroup : deepestFirst)
        if (auto name = present.nameOf(cgroup);
            !name.empty() && reconciler.resolution().rules().match({name, {}}) != nullptr)
            return name;
    return {};
}

} // namespace filterd
