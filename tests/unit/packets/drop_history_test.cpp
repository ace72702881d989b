// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What is remembered of drops, and which of them the journal gets. Time is passed in.

#include "core/drops/drop_history.hpp"
#include "core/drops/drop_lines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace filterd {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kStart = 1'000 * kMinute + 7 * kSecond;

Drop dropAt(std::uint64_t time, std::uint16_t port = 22, const std::string& unit = "a.service") {
    Drop drop;
    drop.bootTime = time;
    drop.origin = {unit, "port"};
    drop.protocol = "tcp";
    drop.source = "192.0.2.7";
    drop.destination = "192.0.2.1";
    drop.ports = packet::Ports{51234, port};
    return drop;
}

std::uint64_t packetsIn(const std::vector<DropSum>& sums) {
    return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const DropSum& one) { return sum + one.packets; });
}

TEST(DropHistory, AddsUpWhatIsAlike) {
    DropHistory history;
    history.add(dropAt(kStart));
    history.add(dropAt(kStart + kSecond));
    auto other = dropAt(kStart + 2 * kSecond, 80);
    other.ports->source = 1; // the sender's port makes no other row
    history.add(other);
    history.add(dropAt(kStart + 3 * kSecond, 80));
    const auto sums = history.sums("a.service", kStart + 4 * kSecond);
    ASSERT_EQ(sums.size(), 2U);
    EXPECT_EQ(sums[0], (DropSum{Direction::Ingress, "port", "tcp", "192.0.2.7", "192.0.2.1", 80, 2,
                                kStart + 3 * kSecond}));
    EXPECT_EQ(sums[1].packets, 2U);
    EXPECT_TRUE(history.sums("b.service", kStart).empty());
}

TEST(DropHistory, TellsApartWhatPassedNevertheless) {
    DropHistory history;
    auto logged = dropAt(kStart);
    logged.logOnly = true;
    history.add(logged);
    history.add(dropAt(kStart + kSecond));
    const auto sums = history.sums("a.service", kStart + 2 * kSecond);
    ASSERT_EQ(sums.size(), 2U);
    EXPECT_FALSE(sums[0].logOnly);
    EXPECT_TRUE(sums[1].logOnly);
    EXPECT_EQ(packetsIn(sums), 2U);
}

TEST(DropHistory, ForgetsAfterTenMinutes) {
    DropHistory history;
    for (std::uint64_t second = 0; second < 20 * 60; ++second)
        history.add(dropAt(kStart + second * kSecond));
    const auto end = kStart + 20 * kMinute;
    const auto packets = packetsIn(history.sums("a.service", end));
    EXPECT_GE(packets, 600U);
    EXPECT_LE(packets, 630U);
    EXPECT_GE(packetsIn(history.sums("a.service", end + 9 * kMinute)), 60U);
    EXPECT_TRUE(history.sums("a.service", end + 11 * kMinute).empty());
    history.add(dropAt(end + 60 * kMinute));
    EXPECT_EQ(packetsIn(history.sums("a.service", end + 60 * kMinute)), 1U);
}

TEST(DropHistory, TakesReportsThatComeLate) {
    DropHistory history;
    history.add(dropAt(kStart + 2 * kMinute));
    history.add(dropAt(kStart));
    history.add(dropAt(kStart - 30 * kMinute)); // too late to be counted
    const auto sums = history.sums("a.service", kStart + 2 * kMinute);
    EXPECT_EQ(packetsIn(sums), 2U);
    EXPECT_EQ(sums.front().last, kStart + 2 * kMinute);
}

TEST(DropHistory, WorksFromTheFirstSecondOfAMachine) {
    DropHistory history;
    history.add(dropAt(3));
    EXPECT_EQ(packetsIn(history.sums("a.service", 5)), 1U);
}

TEST(DropHistory, IsBoundedAndLosesNoPacketOfAUnit) {
    DropHistory history;
    constexpr std::uint16_t kMany = 10'000;
    for (std::uint16_t port = 1; port <= kMany; ++port)
        history.add(dropAt(kStart + port, port));
    const auto sums = history.sums("a.service", kStart + kSecond);
    EXPECT_LE(sums.size(), DropHistory::kMaxSumsOfUnit);
    EXPECT_EQ(packetsIn(sums), kMany);
    EXPECT_EQ(sums.front().destinationPort, kMany);
    const auto rest =
        std::find_if(sums.begin(), sums.end(), [](const DropSum& one) { return one.protocol.empty(); });
    ASSERT_NE(rest, sums.end());
    EXPECT_EQ(rest->filter, "port");
    EXPECT_TRUE(rest->source.empty());
}

TEST(DropHistory, ForgetsTheUnitThatDroppedLeastRecently) {
    DropHistory history;
    for (std::size_t unit = 0; unit <= DropHistory::kMaxUnits; ++unit)
        history.add(dropAt(kStart + unit, 22, std::to_string(unit) + ".service"));
    EXPECT_TRUE(history.sums("0.service", kStart + kSecond).empty());
    EXPECT_EQ(history.sums("1.service", kStart + kSecond).size(), 1U);
}

// ---- the journal ----------------------------------------------------------------------------------------

TEST(DropLines, GiveAFewPerSecondAndCountTheOthers) {
    DropLines lines;
    EXPECT_FALSE(lines.deadline());
    int told = 0;
    for (int packet = 0; packet < 100; ++packet)
        told += lines.take(dropAt(kStart), kStart + static_cast<std::uint64_t>(packet)) ? 1 : 0;
    EXPECT_EQ(told, static_cast<int>(DropLines::kPerSecond));
    ASSERT_TRUE(lines.deadline());
    EXPECT_EQ(*lines.deadline(), kStart + kSecond);
    EXPECT_TRUE(lines.end(kStart + kSecond - 1).drops.empty());
    const auto suppressed = lines.end(kStart + kSecond);
    ASSERT_EQ(suppressed.drops.size(), 1U);
    EXPECT_EQ(suppressed.drops.front().packets, 97U);
    EXPECT_EQ(suppressed.drops.front().example.origin.unit, "a.service");
    EXPECT_EQ(suppressed.others, 0U);
    EXPECT_FALSE(lines.deadline());
    EXPECT_TRUE(lines.take(dropAt(kStart), kStart + 2 * kSecond));
    EXPECT_FALSE(lines.deadline()); // nothing is suppressed: nobody needs to wake up
}

TEST(DropLines, TellUnitsApart) {
    DropLines lines;
    for (int packet = 0; packet < 50; ++packet)
        static_cast<void>(lines.take(dropAt(kStart), kStart));
    EXPECT_TRUE(lines.take(dropAt(kStart, 22, "b.service"), kStart));
    auto egress = dropAt(kStart);
    egress.direction = Direction::Egress;
    EXPECT_TRUE(lines.take(egress, kStart));
}

TEST(DropLines, AreBoundedForAllTogether) {
    DropLines lines;
    std::size_t told = 0;
    constexpr std::size_t kUnits = 1'000;
    for (std::size_t unit = 0; unit < kUnits; ++unit)
        told += lines.take(dropAt(kStart, 22, std::to_string(unit) + ".service"), kStart) ? 1 : 0;
    EXPECT_EQ(told, DropLines::kOfAllPerSecond);
    const auto suppressed = lines.end(kStart + kSecond);
    EXPECT_EQ(suppressed.drops.size(), DropLines::kOfAllPerSecond);
    EXPECT_EQ(suppressed.drops.size() + suppressed.others + told, kUnits);
}

} // namespace
} // namespace filterd
