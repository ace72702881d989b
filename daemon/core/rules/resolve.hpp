// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Rule -> queues of loaded filters.

#include "core/model/named_queue.hpp"
#include "core/model/rule.hpp"

#include <map>
#include <optional>

namespace filterd {

struct LoadedFilter {
    FilterInstance instance;
    FilterDirection direction = FilterDirection::Either;
    std::shared_ptr<const void> lease = {}; // the instance stays loaded while a copy of it lives
};
using LoadedFilters = std::map<FilterName, LoadedFilter>;
using LoadFailures = std::map<FilterName, Error>; // why a filter that a file defines is not loaded

struct RuleQueues {
    std::array<std::optional<NamedQueue>, 2> queues; // by Direction; none where the rule names no filter
    std::optional<Error> error;                      // why the rule's own queues are not these
};

// NoSuchFilter, WrongDirection, or why a filter could not be loaded.
[[nodiscard]] Result<std::optional<Queue>> resolveQueue(const Rule& rule, Direction direction,
                                                        const LoadedFilters& filters,
                                                        const LoadFailures& failures = {});

// The error of resolveQueue() with the place where the rule's file names the filter.
[[nodiscard]] Error inRule(const Rule& rule, const Error& error);

// A rule that cannot be resolved gets what its OnFailure says: the queue that drops everything, or nothing.
[[nodiscard]] RuleQueues resolveRule(const Rule& rule, const LoadedFilters& filters,
                                     const LoadFailures& failures = {});

// The queues of a rule whose own queues failed.
[[nodiscard]] RuleQueues failedQueues(const Rule& rule, Error error);

} // namespace filterd
