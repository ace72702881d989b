// Whose queue a dropped packet has met.

#include "app/reconciler.hpp"

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

std::string Reconciler::nameOf(CgroupId cgroup) const {
    if (const auto unit = present_.find(cgroup); unit != present_.end())
        return unit->second.unit;
    if (const auto* name = gone_.find(cgroup))
        return *name;
    const auto found = tree_.find(cgroup); // so new that nobody has told of it yet
    return found ? unitOfCgroupPath(found->path) : std::string();
}

// What judges the packets of a cgroup's own rule: what is attached to it, or, through the gate, what its rule
// wants.
const Queue* Reconciler::queueAt(CgroupId cgroup, const DropReport& report) const {
    if (const auto* attachment = observed_.at({cgroup, report.direction})) {
        const auto queue = contents_.find(attachment->queue);
        return queue == contents_.end() ? nullptr : &queue->second;
    }
    if (!report.interim)
        return nullptr;
    const auto unit = present_.find(cgroup);
    const auto* rule =
        unit == present_.end() ? inputs_.rules.match({nameOf(cgroup), {}}) : ruleFor(unit->second);
    const auto resolved = resolved_.find(rule);
    if (resolved == resolved_.end())
        return nullptr;
    const auto& queue = resolved->second.queues[static_cast<std::size_t>(report.direction)];
    return queue ? &*queue : nullptr;
}

// The deepest whose queue has that filter: queues of slices above judge the packet, too. A queue that was
// replaced since has it no more; then the deepest that has one.
std::string Reconciler::unitOfDrop(const DropReport& report, const std::string& filter) const {
    std::vector<CgroupId> deepestFirst{report.cgroup}; // which may be deeper than what is told of those above
    std::copy(report.ancestors.rbegin(), report.ancestors.rend(), std::back_inserter(deepestFirst));
    for (const auto& cgroup : deepestFirst)
        if (const auto* queue = queueAt(cgroup, report); queue != nullptr && decides(*queue, filter))
            return nameOf(cgroup);
    for (const auto& cgroup : deepestFirst)
        if (observed_.at({cgroup, report.direction}) != nullptr)
            return nameOf(cgroup);
    for (const auto& cgroup : deepestFirst)
        if (auto name = nameOf(cgroup); !name.empty() && inputs_.rules.match({name, {}}) != nullptr)
            return name;
    return {};
}

} // namespace filterd
