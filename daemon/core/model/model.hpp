// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The design's words as plain data. No behaviour beyond comparison.

#include "base/error.hpp"
#include "core/model/names.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

enum class Direction : std::uint8_t { Ingress, Egress };
inline constexpr std::array kDirections{Direction::Ingress, Direction::Egress};

[[nodiscard]] constexpr std::string_view toString(Direction direction) {
    return direction == Direction::Ingress ? "ingress" : "egress";
}

// Returns the place of a direction in an array that has one element for each.
[[nodiscard]] constexpr std::size_t indexOf(Direction direction) {
    return static_cast<std::size_t>(direction);
}

// Where a filter may stand: its section name (cgroup_skb/ingress, …/egress) can bind it to one direction.
enum class FilterDirection : std::uint8_t { Either, Ingress, Egress };

[[nodiscard]] constexpr bool permits(FilterDirection filter, Direction direction) {
    return filter == FilterDirection::Either ||
           (filter == FilterDirection::Ingress) == (direction == Direction::Ingress);
}

[[nodiscard]] constexpr std::string_view toString(FilterDirection direction) {
    switch (direction) {
    case FilterDirection::Ingress:
        return "ingress";
    case FilterDirection::Egress:
        return "egress";
    case FilterDirection::Either:
        break;
    }
    return "either";
}

// A cgroup is its id (its inode on cgroupfs); a path is only where it was seen.
struct CgroupId {
    std::uint64_t value = 0;
    auto operator<=>(const CgroupId&) const = default;
};

struct Cgroup {
    CgroupId id;
    std::string path; // below the cgroup root, begins with '/'
    bool operator==(const Cgroup&) const = default;
};

// One loaded instance of a filter: the digest tells its content (object bytes, program, load-time
// parameters).
struct FilterInstance {
    FilterName name;
    std::string digest;
    auto operator<=>(const FilterInstance&) const = default;
};

// Decides what happens to a unit's packets while its queue cannot be built: they are dropped, or let through.
enum class OnFailure : std::uint8_t { Hold, Pass };

// Decides what happens to a queue that cannot run as one program: it runs as one link per filter, or is an
// error.
enum class Fallback : std::uint8_t { Allow, Refuse };

// Ordered filters for one direction; the first drop wins. `hold` is the queue that drops everything; one that
// logs only drops nothing, and counts as dropped what it would have.
struct Queue {
    Direction direction = Direction::Ingress;
    std::vector<FilterInstance> filters;
    bool hold = false;
    Fallback fallback = Fallback::Allow;
    bool logOnly = false;
    std::size_t logged = 0; // the first filters only log, and the others drop; not with logOnly
    bool operator==(const Queue&) const = default;
};

// Names a queue by what is in it: units with the same queue share one program. 32 hexadecimal digits.
struct QueueId {
    std::string text;
    auto operator<=>(const QueueId&) const = default;
};

[[nodiscard]] QueueId idOf(const Queue& queue);

struct AttachPoint {
    CgroupId cgroup;
    Direction direction = Direction::Ingress;
    auto operator<=>(const AttachPoint&) const = default;
};

// How a queue runs: as one program, or, where a filter cannot be fused, as one link per filter.
enum class QueueMode : std::uint8_t { Fused, Links };

[[nodiscard]] constexpr std::string_view toString(QueueMode mode) {
    return mode == QueueMode::Fused ? "fused" : "links";
}

} // namespace filterd
