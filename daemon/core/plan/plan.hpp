// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The planner: what is wanted and what is there -> what to do. Pure; the executor is the plan's only
// interpreter.

#include "core/model/named_queue.hpp"
#include "core/plan/observed.hpp"

#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace filterd {

struct DesiredUnit {
    Cgroup cgroup;
    std::array<std::optional<QueueId>, 2> queues; // by Direction; none: nothing of ours belongs there
    bool operator==(const DesiredUnit&) const = default;
};

struct Desired {
    // Every cgroup that exists and is in question. An attachment to a cgroup not named here is left alone
    // until the kernel has released it: sockets outlive their unit (I4).
    std::map<CgroupId, DesiredUnit> units;
    std::map<QueueId, NamedQueue> queues; // of every rule and unit, built before a unit needs them
    std::set<FilterInstance> filters;     // that somebody needs
};

struct BuildQueue {
    NamedQueue queue;
    bool operator==(const BuildQueue&) const = default;
};
struct AttachQueue {
    Cgroup cgroup;
    Direction direction = Direction::Ingress;
    QueueId queue;
    bool operator==(const AttachQueue&) const = default;
};
struct ReplaceQueue {
    Cgroup cgroup;
    Direction direction = Direction::Ingress;
    QueueId queue;
    bool operator==(const ReplaceQueue&) const = default;
};
// The rule is gone.
struct DetachQueue {
    AttachPoint point;
    bool operator==(const DetachQueue&) const = default;
};
// The cgroup is released: nothing passes there any more, only the pin is left.
struct CollectLink {
    AttachPoint point;
    bool operator==(const CollectLink&) const = default;
};
struct DropQueue {
    QueueId queue;
    bool operator==(const DropQueue&) const = default;
};
struct UnloadFilter {
    FilterInstance filter;
    bool operator==(const UnloadFilter&) const = default;
};

using Action =
    std::variant<BuildQueue, AttachQueue, ReplaceQueue, DetachQueue, CollectLink, DropQueue, UnloadFilter>;

// Builds first, then attachments: a step that fails leaves the old queue in force (I1, I2). Looks at the
// units that are desired and at nothing else.
[[nodiscard]] std::vector<Action> planUnits(const Desired& desired, const Observed& observed);

// Plans to remove links of released cgroups. They go before it is asked what is needed: what they alone hold
// is not.
[[nodiscard]] std::vector<Action> planReleased(const Observed& observed);
// Plans to remove what nobody needs any more, after the steps of planUnits() and planReleased() are done.
[[nodiscard]] std::vector<Action> planCollection(const Desired& desired, const Observed& observed);

[[nodiscard]] std::string describe(const Action& action);

} // namespace filterd
