// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What the filters `rate` and `count` count: packets as they are on the wire, and whose bucket they take them
// from.

#include "carriers.hpp"
#include "edge/bpf/values/map_entries.hpp"
#include "unit_sockets.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace filterd::test {

namespace {

using Parameters = std::map<std::string, std::string>;

Loaded rateWith(const Parameters& parameters) {
    std::map<std::string, Value> values;
    for (const auto& [name, value] : parameters)
        values.emplace(name, Value{value});
    return Loaded("rate", values);
}

// How many of so many in a row pass.
unsigned passing(const Loaded& filter, unsigned packets, const Packet& packet,
                 const Conditions& conditions = {}) {
    unsigned passed = 0;
    for (unsigned i = 0; i < packets; ++i)
        passed += filter.run(packet, conditions).passes ? 1 : 0;
    return passed;
}

Packet datagram(std::size_t payload) { return {kIp4, ip4(kUdp, 0, 0, false, udp(5, 53, Bytes(payload)))}; }

constexpr std::uint32_t kSegment = 100;

// As many packets and bytes as the sum over all CPUs says.
std::pair<std::uint64_t, std::uint64_t> counted(const Loaded& count) {
    const auto entries = bpf::MapEntries::of(count.filter().maps.front().fd.get())->dump();
    std::pair<std::uint64_t, std::uint64_t> sums{0, 0};
    for (const auto& values : entries->front().second) {
        std::array<std::uint64_t, 2> pair{};
        std::memcpy(pair.data(), values.data(), sizeof pair);
        sums.first += pair[0];
        sums.second += pair[1];
    }
    return sums;
}

} // namespace

TEST(Rate, WhatIsLargerThanABurstPassesWhenTheBucketIsFull) {
    const auto packet = datagram(1000);
    const auto once = rateWith({{"unit", "bytes"}, {"rate_per_second", "1"}, {"burst", "100"}});
    EXPECT_EQ(passing(once, 5, packet), 1U);
    EXPECT_EQ(once.count("dropped_packets"), 4U);
    EXPECT_EQ(passing(once, 5, datagram(0)), 0U) << "those behind it wait for what it took too much";
    const auto soon = rateWith({{"unit", "bytes"}, {"rate_per_second", "1000000000000"}, {"burst", "100"}});
    EXPECT_EQ(passing(soon, 100, packet), 100U);
}

TEST(Rate, ADebtOfOtherSettingsIsForgotten) {
    const auto rate = rateWith({{"unit", "bytes"}, {"rate_per_second", "1"}, {"burst", "100"}});
    EXPECT_EQ(passing(rate, 2, datagram(1000)), 1U);
    rate.set("rate_per_second", "1000000000000");
    EXPECT_EQ(passing(rate, 5, datagram(1000)), 5U);
}

TEST(Rate, WhatReplacesItGoesOnWithItsBuckets) {
    for (const auto* share : {"cgroup", "filter"}) {
        SCOPED_TRACE(share);
        const auto before = rateWith({{"rate_per_second", "1"}, {"burst", "5"}, {"share", share}});
        EXPECT_EQ(passing(before, 10, datagram(10)), 5U);
        const Loaded same("rate", before, {{"rate_per_second", {"1"}}, {"burst", {"5"}}, {"share", {share}}});
        EXPECT_TRUE(same.filter().forgotten.empty());
        EXPECT_EQ(passing(same, 10, datagram(10)), 0U);
        const Loaded larger("rate", same, {{"rate_per_second", {"1"}}, {"burst", {"7"}}, {"share", {share}}});
        EXPECT_LE(passing(larger, 10, datagram(10)), 3U) << "no more than what it is larger by";
    }
}

TEST(Rate, ASegmentedPacketCostsWhatItsSegmentsCost) {
    const Parameters slow{{"rate_per_second", "1"}, {"burst", "30"}};
    for (const std::uint32_t told : {0U, 10U}) { // virtual machines do not tell
        SCOPED_TRACE(told);
        for (const auto& carrier : carriers()) {
            SCOPED_TRACE(carrier.name);
            EXPECT_EQ(passing(rateWith(slow), 9, carrier.carry(kUdp, udp(5, 53, Bytes(950))),
                              {.gsoSize = kSegment, .gsoSegments = told}),
                      3U);
            EXPECT_EQ(passing(rateWith(slow), 9, carrier.carry(kTcp, tcp(5, 53, kAck, Bytes(950))),
                              {.gsoSize = kSegment, .gsoSegments = told}),
                      3U);
        }
    }
    EXPECT_EQ(passing(rateWith(slow), 40, datagram(950)), 30U);
    const Parameters bytes{{"unit", "bytes"}, {"rate_per_second", "1"}, {"burst", "2460"}}; // 950 + 10 * 28
    EXPECT_EQ(passing(rateWith(bytes), 9, datagram(950), {.gsoSize = kSegment}), 2U);
}

TEST(Rate, EachCgroupHasItsBucketUnlessTheyShareOne) {
    FilteredUnit one("one");
    FilteredUnit two("two");
    for (const bool shared : {false, true}) {
        const auto rate =
            rateWith({{"rate_per_second", "1"}, {"burst", "5"}, {"share", shared ? "filter" : "cgroup"}});
        for (const auto* unit : {&one, &two})
            unit->inside([&] {
                EXPECT_EQ(passing(rate, 10, datagram(10)), shared && unit == &two ? 0U : 5U);
                EXPECT_EQ(passing(rate, 10, datagram(10), {.ingress = true}), 0U);
            });
    }
}

TEST(Count, WhatReplacesItCountsOn) {
    const Loaded count("count");
    EXPECT_TRUE(count.run(datagram(10), {}).passes);
    const Loaded newer("count", count, {});
    EXPECT_TRUE(newer.run(datagram(10), {}).passes);
    EXPECT_EQ(counted(newer).first, 2U);
}

TEST(Count, ASegmentedPacketIsAsManyAsItsSegments) {
    const Loaded count("count");
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    for (const auto& carrier : carriers()) {
        const auto headers = carrier.carry(kUdp, udp(5, 53)).bytes.size();
        EXPECT_TRUE(count.run(carrier.carry(kUdp, udp(5, 53, Bytes(950))), {.gsoSize = kSegment}).passes);
        packets += 10;
        bytes += 950 + 10 * headers;
        EXPECT_TRUE(count.run(carrier.carry(kUdp, udp(5, 53, Bytes(950))), {}).passes);
        packets += 1;
        bytes += 950 + headers;
    }
    for (const auto& carrier : hiding()) { // how long the headers are cannot be told
        const auto packet = carrier.carry(kUdp, udp(5, 53, Bytes(950)));
        EXPECT_TRUE(count.run(packet, {.gsoSize = kSegment, .gsoSegments = 10}).passes);
        packets += 10;
        bytes += packet.bytes.size();
    }
    EXPECT_EQ(counted(count), std::pair(packets, bytes));
}

} // namespace filterd::test
