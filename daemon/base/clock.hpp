// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once

#include <cstdint>
#include <ctime>

namespace filterd {

[[nodiscard]] inline std::uint64_t microsecondsOf(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

// Milliseconds of CLOCK_BOOTTIME: since the machine came up, with the time it was suspended.
[[nodiscard]] inline std::uint64_t bootMilliseconds() { return microsecondsOf(CLOCK_BOOTTIME) / 1'000; }

// Reads CLOCK_MONOTONIC, which the kernel's programs know as ktime.
[[nodiscard]] inline std::uint64_t monotonicNanoseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

} // namespace filterd
