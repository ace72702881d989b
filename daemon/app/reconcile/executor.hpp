// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The plan's only interpreter.

#include "app/reconcile/statistics.hpp"
#include "core/plan/observed.hpp"
#include "core/plan/plan.hpp"
#include "ports/ports.hpp"

#include <vector>

namespace filterd {

struct FailedAction {
    Action action;
    Error error;
};

// Does the actions in order and keeps `observed` true. An action whose queue could not be built is left out;
// a cgroup that is gone is no failure. With stopAtBuildFailure nothing after a failed build is done.
class Executor {
  public:
    Executor(FilterKernel& kernel, Observed& observed, ActionCounts& counts)
        : kernel_(kernel), observed_(observed), counts_(counts) {}

    [[nodiscard]] std::vector<FailedAction> execute(const std::vector<Action>& actions,
                                                    bool stopAtBuildFailure);

  private:
    void count(const Action& action, bool done);
    Status run(const BuildQueue& action);
    Status run(const AttachQueue& action);
    Status run(const ReplaceQueue& action);
    Status run(const DetachQueue& action);
    Status run(const CollectLink& action);
    Status run(const DropQueue& action);
    Status run(const UnloadFilter& action);

    FilterKernel& kernel_;
    Observed& observed_;
    ActionCounts& counts_;
};

} // namespace filterd
