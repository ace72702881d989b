// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Which drops get a line of the journal: a few per second of each unit, direction and filter, and not too
// many of all. How many more there were is told when the second is over.

#include "core/drops/drop.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace filterd {

struct SuppressedDrops {
    Drop example; // of this unit, direction and filter
    std::uint64_t packets = 0;
};

struct SuppressedSecond {
    std::vector<SuppressedDrops> drops;
    std::uint64_t others = 0; // packets of those for which there was no room
};

// All times in microseconds of CLOCK_BOOTTIME.
class DropLines {
  public:
    static constexpr std::size_t kPerSecond = 3; // of one unit, direction and filter
    static constexpr std::size_t kOfAllPerSecond = 60;

    // Returns whether this drop gets a line. Call end() first if a second is over.
    [[nodiscard]] bool take(const Drop& drop, std::uint64_t now);
    // When end() is to be called; none while nothing was suppressed.
    [[nodiscard]] std::optional<std::uint64_t> deadline() const;
    // Returns what the second that is over has suppressed; nothing while it is not over.
    [[nodiscard]] SuppressedSecond end(std::uint64_t now);

  private:
    static constexpr std::uint64_t kSecond = 1'000'000;

    struct Told {
        std::size_t lines = 0;
        SuppressedDrops suppressed;
    };
    using Key = std::tuple<std::string, Direction, std::string>;

    std::uint64_t began_ = 0;
    std::size_t lines_ = 0;
    std::size_t suppressed_ = 0;
    std::map<Key, Told> told_;
};

} // namespace filterd
