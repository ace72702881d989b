// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/executor.hpp"

namespace filterd {

namespace {

bool isGone(const Status& status) { return !status && status.error().code == ErrorCode::NoSuchCgroup; }

// The queue an attachment needs, if this action attaches one.
const QueueId* neededQueue(const Action& action) {
    if (const auto* attach = std::get_if<AttachQueue>(&action))
        return &attach->queue;
    if (const auto* replace = std::get_if<ReplaceQueue>(&action))
        return &replace->queue;
    return nullptr;
}

} // namespace

std::vector<FailedAction> Executor::execute(const std::vector<Action>& actions, bool stopAtBuildFailure) {
    std::vector<FailedAction> failures;
    for (const auto& action : actions) {
        if (const auto* queue = neededQueue(action); queue != nullptr && !observed_.queues().contains(*queue))
            continue; // its BuildQueue failed and is reported
        auto done = std::visit([this](const auto& step) { return run(step); }, action);
        if (!done && isGone(done))
            continue;
        count(action, done.has_value());
        if (done)
            continue;
        failures.push_back({action, done.error().context(describe(action))});
        if (stopAtBuildFailure && std::holds_alternative<BuildQueue>(action) && !kernel_.isWaiting())
            break; // else the others are asked for at once
    }
    return failures;
}

void Executor::count(const Action& action, bool done) {
    if (std::holds_alternative<BuildQueue>(action))
        ++(done ? counts_.builds : counts_.buildFailures);
    else if (std::holds_alternative<AttachQueue>(action))
        ++(done ? counts_.attachments : counts_.attachmentFailures);
    else if (std::holds_alternative<ReplaceQueue>(action))
        ++(done ? counts_.replacements : counts_.attachmentFailures);
}

Status Executor::run(const BuildQueue& action) {
    auto facts = kernel_.buildQueue(*action.queue);
    if (!facts)
        return failure(facts.error());
    observed_.addQueue(action.queue.id(), *facts);
    return {};
}

Status Executor::run(const AttachQueue& action) {
    auto done = kernel_.attachQueue(action.cgroup, action.direction, action.queue);
    if (done)
        observed_.attach({action.cgroup.id, action.direction}, action.queue);
    return done;
}

Status Executor::run(const ReplaceQueue& action) {
    auto done = kernel_.replaceQueue(action.cgroup, action.direction, action.queue);
    if (done)
        observed_.attach({action.cgroup.id, action.direction}, action.queue);
    return done;
}

Status Executor::run(const DetachQueue& action) {
    auto done = kernel_.detachQueue(action.point);
    if (done)
        observed_.detach(action.point);
    return done;
}

Status Executor::run(const CollectLink& action) { return run(DetachQueue{action.point}); }

Status Executor::run(const DropQueue& action) {
    auto done = kernel_.dropQueue(action.queue);
    if (done)
        observed_.removeQueue(action.queue);
    return done;
}

Status Executor::run(const UnloadFilter& action) {
    auto done = kernel_.unloadFilter(action.filter);
    if (done)
        observed_.removeFilter(action.filter);
    return done;
}

} // namespace filterd
