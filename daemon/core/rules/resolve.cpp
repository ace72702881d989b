// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/rules/resolve.hpp"

namespace filterd {

Result<std::optional<Queue>> resolveQueue(const Rule& rule, Direction direction, const LoadedFilters& filters,
                                          const LoadFailures& failures) {
    Queue queue{direction, {}, false, rule.fallback, rule.logOnly, rule.logged[indexOf(direction)]};
    for (const auto& name : rule.filters(direction)) {
        const auto found = filters.find(name);
        if (const auto why = failures.find(name); found == filters.end() && why != failures.end())
            return failure(why->second);
        if (found == filters.end())
            return failure(ErrorCode::NoSuchFilter,
                           "no filter '" + name.text() + "' is loaded; load it first");
        if (!permits(found->second.direction, direction))
            return failure(
                Error{ErrorCode::WrongDirection,
                      "filter '" + name.text() + "' is an " + std::string(toString(found->second.direction)) +
                          " program and cannot be in an " + std::string(toString(direction)) + " queue"}
                    .about(name.text()));
        queue.filters.push_back(found->second.instance);
    }
    if (queue.filters.empty())
        return std::optional<Queue>{};
    return std::optional<Queue>{std::move(queue)};
}

Error inRule(const Rule& rule, const Error& error) {
    const auto name = FilterName::parse(error.item);
    return error.context(name ? rule.placeOf(*name) : rule.source);
}

RuleQueues failedQueues(const Rule& rule, Error error) {
    RuleQueues result;
    result.error = std::move(error);
    if (rule.onFailure == OnFailure::Pass || rule.logOnly)
        return result;
    for (const auto direction : kDirections)
        if (!rule.filters(direction).empty() || !rule.broken.empty()) // of a broken rule nobody knows
            result.queues[indexOf(direction)] = NamedQueue({direction, {}, true, Fallback::Allow});
    return result;
}

RuleQueues resolveRule(const Rule& rule, const LoadedFilters& filters, const LoadFailures& failures) {
    if (!rule.broken.empty())
        return failedQueues(rule, {ErrorCode::BadConfiguration, rule.broken});
    RuleQueues result;
    for (const auto direction : kDirections) {
        auto queue = resolveQueue(rule, direction, filters, failures);
        if (!queue)
            return failedQueues(rule, queue.error());
        if (*queue)
            result.queues[indexOf(direction)] = NamedQueue(std::move(**queue));
    }
    return result;
}

} // namespace filterd
