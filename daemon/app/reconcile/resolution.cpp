// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/resolution.hpp"

namespace filterd {

namespace {

RuleQueues resolve(const Rule& rule, const LoadedFilters& filters, const LoadFailures& failures,
                   const std::map<QueueId, Error>& broken) {
    auto queues = resolveRule(rule, filters, failures);
    for (const auto& queue : queues.queues)
        if (const auto known = queue ? broken.find(queue->id()) : broken.end(); known != broken.end())
            return failedQueues(rule, known->second);
    return queues;
}

} // namespace

Resolution::Resolution(SharedValue<Rules> rules, const LoadedFilters& filters, const LoadFailures& failures,
                       const std::map<QueueId, Error>& broken)
    : rules_(std::move(rules)) {
    for (const auto* rule : rules_->ordered()) {
        auto queues = resolve(*rule, filters, failures, broken);
        for (const auto& queue : queues.queues)
            if (queue)
                queues_.emplace(queue->id(), *queue);
        byRule_.emplace(rule, std::move(queues));
    }
}

} // namespace filterd
