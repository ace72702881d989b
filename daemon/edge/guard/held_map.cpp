// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/held_map.hpp"

#include "base/clock.hpp"
#include "bpf/guard.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

namespace filterd {

namespace {

constexpr std::size_t kBatch = 4096;

// The last moment whose lower half this is: right for a hold of less than an hour.
std::uint64_t momentOf(std::uint32_t made) {
    if (made == 0)
        return 0;
    const auto now = monotonicNanoseconds() >> GUARD_MADE_SHIFT;
    const auto age = static_cast<std::uint32_t>(now) - made;
    return (now - age) << GUARD_MADE_SHIFT;
}

} // namespace

// At least one: whoever cuts a manager off has counted before.
std::uint64_t HeldMap::lostUnitsOf(std::uint64_t manager) const {
    guard_manager known{};
    return bpf_map_lookup_elem(managers_, &manager, &known) < 0 ? 1 : std::max<__u64>(known.unheld_units, 1);
}

Hold HeldMap::holdOf(const guard_hold& value) const {
    if (value.queue == GUARD_CUT_OFF)
        return {CgroupId{value.id}, {}, lostUnitsOf(value.id)};
    return {CgroupId{value.id}, QueueSlot{value.queue}, 0, momentOf(value.made)};
}

Result<std::vector<Hold>> HeldMap::all() const {
    std::vector<Hold> holds;
    std::vector<std::uint64_t> keys(kBatch);
    std::vector<guard_hold> values(kBatch);
    std::uint32_t position = 0;
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    for (bool first = true;; first = false) {
        auto count = static_cast<std::uint32_t>(kBatch);
        const int error = bpf_map_lookup_batch(held_, first ? nullptr : &position, &position, keys.data(),
                                               values.data(), &count, &options);
        if (error < 0 && errno != ENOENT)
            return failure(systemError("read which units are held", errno));
        for (std::uint32_t i = 0; i < count; ++i)
            holds.push_back(holdOf(values[i]));
        if (error < 0)
            return holds;
    }
}

Result<std::vector<Hold>> HeldMap::find(const std::vector<CgroupId>& cgroups) const {
    std::vector<Hold> holds;
    for (const auto cgroup : cgroups) {
        guard_hold value{};
        if (bpf_map_lookup_elem(held_, &cgroup.value, &value) == 0)
            holds.push_back(holdOf(value));
        else if (errno != ENOENT)
            return failure(systemError("read whether a unit is held", errno));
    }
    return holds;
}

} // namespace filterd
