#include "core/drop_repeats.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::uint64_t kAtOnce = 10'000'000; // nanoseconds, with a program that is interrupted between

bool isSamePacket(const DropReport& one, const DropReport& other) {
    const auto apart = std::max(one.bootTime, other.bootTime) - std::min(one.bootTime, other.bootTime);
    return one.cgroup == other.cgroup && one.direction == other.direction && one.length == other.length &&
           one.packet == other.packet && apart < kAtOnce;
}

} // namespace

bool DropRepeats::isRepeat(const DropReport& report) {
    const bool repeated = std::any_of(recent_.begin(), recent_.end(), [&](const DropReport& earlier) {
        return earlier.interim != report.interim && isSamePacket(earlier, report);
    });
    if (!repeated)
        recent_[next_++ % recent_.size()] = report;
    return repeated;
}

} // namespace filterd
