// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Adds up what was dropped in the last ten minutes by who talks to whom. Takes bounded memory however many
// talk: where there is no more room, those that were dropped least recently are added up without their names.

#include "core/drops/drop.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <tuple>

namespace filterd {

struct DropSum {
    Direction direction = Direction::Ingress;
    std::string filter;   // empty: the unit was held
    std::string protocol; // empty, as the addresses: of several that are not told apart any more
    std::string source;
    std::string destination;
    std::uint16_t destinationPort = 0; // 0: none
    std::uint64_t packets = 0;
    std::uint64_t last = 0; // microseconds of CLOCK_BOOTTIME
    bool logOnly = false;   // they passed nevertheless
    bool operator==(const DropSum&) const = default;
};

class DropHistory {
  public:
    static constexpr std::chrono::minutes kSpan{10};
    static constexpr std::size_t kMaxSumsOfUnit = 128;
    static constexpr std::size_t kMaxUnits = 128;

    void add(const Drop& drop);
    // Those of the last ten minutes, the latest first. `now`: microseconds of CLOCK_BOOTTIME.
    [[nodiscard]] std::vector<DropSum> sums(const std::string& unit, std::uint64_t now) const;

  private:
    static constexpr std::size_t kSlots = 21; // of half a minute: ten minutes and the one that has begun

    using Key =
        std::tuple<Direction, std::string, std::string, std::string, std::string, std::uint16_t, bool>;
    struct Count {
        std::array<std::uint32_t, kSlots> packets{}; // by slot of time, in a ring
        std::uint64_t slot = 0;                      // the latest
        std::uint64_t last = 0;

        void advance(std::uint64_t to);
        void add(std::uint64_t time);
        void take(const Count& other);
        [[nodiscard]] std::uint64_t since(std::uint64_t first) const;
    };
    struct Unit {
        std::map<Key, Count> counts;
        std::uint64_t last = 0;
    };

    [[nodiscard]] static bool isRest(const Key& key); // of what is not told apart any more
    static void makeRoom(Unit& unit);
    void makeRoomForUnit();

    std::map<std::string, Unit> units_;
};

} // namespace filterd
