// One filter more or less in a queue: the queues in force, changed, become a rule of the unit's own.

#include "app/firewall.hpp"

#include <algorithm>

namespace filterd {

namespace {

using Names = std::vector<FilterName>;

Names& filtersOf(Rule& rule, Direction direction) {
    return direction == Direction::Ingress ? rule.ingress : rule.egress;
}

std::string queueName(const QueueEdit& edit) {
    return "the " + std::string(toString(edit.direction)) + " queue of '" + edit.unit + "'";
}

Result<Names::iterator> placeIn(Names& queue, const QueueEdit& edit) {
    if (edit.place == QueueEdit::Place::First)
        return queue.begin();
    if (edit.place == QueueEdit::Place::Last)
        return queue.end();
    const bool after = edit.place == QueueEdit::Place::After;
    // Where a filter stands twice: before its first place, after its last.
    const auto found = after ? std::find(queue.rbegin(), queue.rend(), *edit.neighbour).base()
                             : std::find(queue.begin(), queue.end(), *edit.neighbour);
    if (std::find(queue.begin(), queue.end(), *edit.neighbour) == queue.end())
        return failure(ErrorCode::NoSuchFilter,
                       queueName(edit) + " has no filter '" + edit.neighbour->text() + "' to stand beside");
    return found;
}

} // namespace

Result<Firewall::Editing> Firewall::beginEditOfUser(const QueueEdit& edit) const {
    Editing editing;
    editing.unit = edit.unit;
    editing.rule.source = kUserSource;
    editing.rule.targets = {edit.unit};
    for (const auto& rule : rules_.busRules())
        if (rule.source == kUserSource && rule.targets.front() == edit.unit) {
            editing.rule = rule;
            editing.from = rule.source;
        }
    return editing;
}

Result<Firewall::Editing> Firewall::beginEdit(const QueueEdit& edit) const {
    if (edit.byItsUser)
        return beginEditOfUser(edit);
    Editing editing;
    if (edit.unit.starts_with('/')) {
        auto cgroup = tree_.find(edit.unit);
        if (!cgroup)
            return failure(cgroup.error());
        editing.path = cgroup->path;
        editing.unit = unitOfCgroupPath(cgroup->path);
    } else if (isAnyUnitName(edit.unit)) {
        editing.unit = primaryUnit(units_, edit.unit);
        if (const auto* view = reconciler_.find(editing.unit))
            editing.path = view->cgroup.path;
    } else {
        return failure(ErrorCode::InvalidName, "'" + edit.unit +
                                                   "' is neither a unit's name nor a cgroup path; a glob's "
                                                   "queues are set as a whole (SetQueue)");
    }
    std::string target = editing.unit.empty() ? editing.path : editing.unit;
    if (const auto* rule = rules_.matchAdministrators(editing.target())) {
        if (!rule->broken.empty())
            return failure(ErrorCode::BadConfiguration,
                           "'" + edit.unit + "' has its rule from a broken file: " + rule->broken +
                               "; correct the file, or set the queues as a whole (SetQueue)");
        editing.rule = *rule;
        editing.from = rule->source;
        if (rule->source == kBusSource && rule->targets.front() == editing.path)
            target = editing.path;
    }
    editing.rule.source = kBusSource;
    editing.rule.targets = {target};
    return editing;
}

// Nothing filters the unit then, and nothing would without the rule.
bool Firewall::isSuperfluous(const Editing& editing) const {
    auto without = rules_;
    return editing.rule.ingress.empty() && editing.rule.egress.empty() &&
           without.reset(editing.rule.targets.front()) &&
           without.matchAdministrators(editing.target()) == nullptr;
}

Status Firewall::finishEdit(const QueueEdit& edit, Editing editing) {
    auto& rule = editing.rule;
    rule.setBy = edit.setBy;
    if (edit.byItsUser)
        return rule.ingress.empty() && rule.egress.empty() ? resetQueueOfUser(edit.unit)
                                                           : setQueueOfUser(std::move(rule));
    auto deadline = edit.deadline;
    for (const auto& trial : trials_.all())
        if (!deadline && trial.target == rule.targets.front())
            deadline = trial.deadline;
    if (!deadline && isSuperfluous(editing))
        return resetQueue(rule.targets.front());
    return setQueue(std::move(rule), deadline);
}

Result<std::string> Firewall::attachFilter(const QueueEdit& edit) {
    auto editing = beginEdit(edit);
    if (!editing)
        return failure(editing.error());
    auto& queue = filtersOf(editing->rule, edit.direction);
    if (std::find(queue.begin(), queue.end(), edit.filter) != queue.end())
        return failure(ErrorCode::InvalidArgument, "filter '" + edit.filter.text() + "' is in " +
                                                       queueName(edit) +
                                                       " already; detach it first to move it");
    const auto place = placeIn(queue, edit);
    if (!place)
        return failure(place.error());
    queue.insert(*place, edit.filter);
    auto from = editing->from;
    if (auto done = finishEdit(edit, std::move(*editing)); !done)
        return failure(done.error());
    return from;
}

Result<std::string> Firewall::detachFilter(const QueueEdit& edit) {
    auto editing = beginEdit(edit);
    if (!editing)
        return failure(editing.error());
    if (editing->from.empty())
        return failure(ErrorCode::NoSuchRule,
                       "no rule covers '" + edit.unit + "': there is nothing to detach");
    auto& queue = filtersOf(editing->rule, edit.direction);
    if (std::erase(queue, edit.filter) == 0)
        return failure(ErrorCode::NoSuchFilter,
                       queueName(edit) + " has no filter '" + edit.filter.text() + "'");
    auto from = editing->from;
    if (auto done = finishEdit(edit, std::move(*editing)); !done)
        return failure(done.error());
    return from;
}

} // namespace filterd
