// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The queues that all rules give, of one set of rules and filters. It never changes: other rules are resolved
// anew.

#include "base/shared_value.hpp"
#include "core/model/unit_cgroup.hpp"
#include "core/rules/resolve.hpp"
#include "core/rules/rules.hpp"

#include <map>
#include <string>

namespace filterd {

class Resolution {
  public:
    Resolution() = default;
    // `broken`: queues that could not be built; their rules get what OnFailure= says.
    Resolution(SharedValue<Rules> rules, const LoadedFilters& filters, const LoadFailures& failures,
               const std::map<QueueId, Error>& broken);

    [[nodiscard]] const Rules& rules() const { return *rules_; }
    [[nodiscard]] const Rule* ruleFor(const UnitCgroup& unit) const {
        return rules_->match({unit.unit, unit.cgroup.path});
    }
    // Returns the queues of a rule of rules().
    [[nodiscard]] const RuleQueues& of(const Rule& rule) const { return byRule_.at(&rule); }
    [[nodiscard]] const std::map<const Rule*, RuleQueues>& all() const { return byRule_; }
    // Returns the queues of all rules together.
    [[nodiscard]] const std::map<QueueId, NamedQueue>& queues() const { return queues_; }

  private:
    SharedValue<Rules> rules_; // what is keyed by its rules stays true as long as it is held here
    std::map<const Rule*, RuleQueues> byRule_;
    std::map<QueueId, NamedQueue> queues_;
};

} // namespace filterd
