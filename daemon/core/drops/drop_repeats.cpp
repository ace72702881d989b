// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/drops/drop_repeats.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::uint64_t kAtOnce = 1'000'000'000; // nanoseconds: a machine may stand still between the two

bool isSamePacket(const DropReport& one, const DropReport& other) {
    const auto apart = std::max(one.bootTime, other.bootTime) - std::min(one.bootTime, other.bootTime);
    return one.cgroup == other.cgroup && one.direction == other.direction && one.length == other.length &&
           one.packet == other.packet && apart < kAtOnce;
}

} // namespace

bool DropRepeats::isRepeat(const DropReport& report) {
    if (report.interim)
        return std::any_of(recent_.begin(), recent_.end(),
                           [&](const DropReport& earlier) { return isSamePacket(earlier, report); });
    recent_[next_++ % recent_.size()] = report;
    return false;
}

} // namespace filterd
