// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// How long something took, each time: counted by fixed bounds.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace filterd {

class LatencyHistogram {
  public:
    using Duration = std::chrono::microseconds;

    static constexpr std::array<Duration::rep, 14> kBounds{100,     250,       500,       1'000,     2'500,
                                                           5'000,   10'000,    25'000,    50'000,    100'000,
                                                           250'000, 1'000'000, 5'000'000, 30'000'000};

    void add(Duration duration);

    // Returns how many took at most kBounds[bound].
    [[nodiscard]] std::uint64_t upTo(std::size_t bound) const;
    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] Duration sum() const { return sum_; }

  private:
    std::array<std::uint64_t, kBounds.size() + 1> counts_{}; // of each bound alone; the last: of none
    Duration sum_{};
};

} // namespace filterd
