#pragma once

#include <cstdint>
#include <ctime>

namespace filterd {

// Milliseconds of CLOCK_BOOTTIME: since the machine came up, with the time it was suspended.
[[nodiscard]] inline std::uint64_t bootMilliseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

} // namespace filterd
