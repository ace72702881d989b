// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/queues/queue_edit.hpp"

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

EditedRule ruleOfUser(const Rules& rules, const QueueEdit& edit) {
    EditedRule edited{{edit.unit, ""}, {}, ""};
    edited.rule.source = kUserSource;
    edited.rule.targets = {edit.unit};
    for (const auto& rule : rules.busRules())
        if (rule.source == kUserSource && rule.targets.front() == edit.unit) {
            edited.rule = rule;
            edited.from = rule.source;
        }
    return edited;
}

} // namespace

Result<EditedRule> ruleToEdit(const Rules& rules, const QueueEdit& edit, const EditedUnit& unit) {
    if (edit.byItsUser)
        return ruleOfUser(rules, edit);
    EditedRule edited{unit, {}, ""};
    std::string target = unit.unit.empty() ? unit.path : unit.unit;
    if (const auto* rule = rules.matchAdministrators({unit.unit, unit.path})) {
        if (!rule->broken.empty())
            return failure(ErrorCode::BadConfiguration,
                           "'" + edit.unit + "' has its rule from a broken file: " + rule->broken +
                               "; correct the file, or set the queues as a whole (SetQueue)");
        edited.rule = *rule;
        edited.from = rule->source;
        if (rule->source == kBusSource && rule->targets.front() == unit.path)
            target = unit.path;
    }
    edited.rule.source = kBusSource;
    edited.rule.targets = {target};
    return edited;
}

bool isSuperfluous(const Rules& rules, const EditedRule& edited) {
    auto without = rules;
    return edited.rule.ingress.empty() && edited.rule.egress.empty() &&
           without.reset(edited.rule.targets.front()) &&
           without.matchAdministrators({edited.target.unit, edited.target.path}) == nullptr;
}

Status attachTo(EditedRule& edited, const QueueEdit& edit) {
    auto& queue = filtersOf(edited.rule, edit.direction);
    if (std::find(queue.begin(), queue.end(), edit.filter) != queue.end())
        return failure(ErrorCode::InvalidArgument, "filter '" + edit.filter.text() + "' is in " +
                                                       queueName(edit) +
                                                       " already; detach it first to move it");
    const auto place = placeIn(queue, edit);
    if (!place)
        return failure(place.error());
    queue.insert(*place, edit.filter);
    return {};
}

Status detachFrom(EditedRule& edited, const QueueEdit& edit) {
    if (edited.from.empty())
        return failure(ErrorCode::NoSuchUnitRule,
                       "no rule covers '" + edit.unit + "': there is nothing to detach");
    auto& queue = filtersOf(edited.rule, edit.direction);
    if (std::erase(queue, edit.filter) == 0)
        return failure(ErrorCode::NoSuchFilter,
                       queueName(edit) + " has no filter '" + edit.filter.text() + "'");
    return {};
}

} // namespace filterd
