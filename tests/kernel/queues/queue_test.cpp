// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Queues as one program on the real kernel, with real packets.

#include "app/firewall.hpp"
#include "queue_bed.hpp"
#include "unit/app/fakes.hpp"

#include <bpf/bpf.h>

namespace filterd::test {
namespace {

using Ids = std::vector<std::uint32_t>;

constexpr std::uint64_t kPacketSize = 20 + 8 + 1; // what a unit sends and receives

class Queues : public KernelTest {
  protected:
    static UniqueFd programOf(const Queue& queue) {
        const auto path = std::string(kPins) + "/queues/" + filterd::idOf(queue).text + "/program";
        return UniqueFd(::bpf_obj_get(path.c_str()));
    }
    static UniqueFd mapOf(const std::string& filter, int index) {
        const auto path = std::string(kPins) + "/maps/" + filter + "/" + std::to_string(index);
        return UniqueFd(::bpf_obj_get(path.c_str()));
    }
    std::vector<FilterInstance> loadMany(std::size_t count, const std::string& program,
                                         const std::string& object = "queue_filters") {
        std::vector<FilterInstance> filters;
        for (std::size_t i = 0; i < count; ++i)
            filters.push_back(load("many-" + std::to_string(i), program, object));
        return filters;
    }
};

// ---- verdicts -------------------------------------------------------------------------------------------

TEST_F(Queues, TheFirstDropWinsAndTheRestDoesNotRun) {
    const Unit unit("unit.service");
    const auto before = load("before", "count");
    const auto judge = load("judge", "not_9999");
    const auto after = load("after", "count");
    use(unit, Direction::Egress, {before, judge, after});
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    const std::uint32_t zero = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    ASSERT_EQ(::bpf_map_lookup_elem(mapOf("before", 0).get(), &zero, &first), 0);
    ASSERT_EQ(::bpf_map_lookup_elem(mapOf("after", 0).get(), &zero, &last), 0);
    EXPECT_EQ(first, 2U);
    EXPECT_EQ(last, 1U);
}

TEST_F(Queues, CongestionBitsAreCombined) {
    const auto congestion = load("congestion", "congestion");
    const auto judge = load("judge", "not_9999");
    const auto late = load("late", "not_9998");
    const auto queue = build(Direction::Egress, {judge, congestion, late});
    const auto program = programOf(queue);
    EXPECT_EQ(verdictOf(program.get(), kOpenPort), 1U);
    EXPECT_EQ(verdictOf(program.get(), 9996), 3U);
    EXPECT_EQ(verdictOf(program.get(), 9997), 2U);
    EXPECT_EQ(verdictOf(program.get(), 9998), 0U);
    EXPECT_EQ(verdictOf(program.get(), kDroppedPort), 0U);
    const auto nothing = load("nothing", "drop");
    const auto dropping = build(Direction::Egress, {congestion, nothing});
    EXPECT_EQ(verdictOf(programOf(dropping).get(), 9996), 2U) << "the bit of the filter that ran";
}

TEST_F(Queues, EveryFilterHasSkbCbForItself) {
    const Unit unit("unit.service");
    const auto looks = load("looks", "private_cb");
    const auto writes = load("writes", "scribble");
    use(unit, Direction::Egress, {looks, writes, looks, writes, looks});
    use(unit, Direction::Ingress, {looks, writes, looks});
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_TRUE(unit.receives(kOpenPort));
}

TEST_F(Queues, AMapReachesTheQueueWhileItRuns) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("list", "not_blocked")});
    EXPECT_TRUE(unit.sends(kOpenPort));
    const std::uint32_t port = kOpenPort;
    const std::uint8_t yes = 1;
    const auto blocked = mapOf("list", 1);
    ASSERT_EQ(::bpf_map_update_elem(blocked.get(), &port, &yes, BPF_ANY), 0);
    EXPECT_FALSE(unit.sends(kOpenPort));
    ASSERT_EQ(::bpf_map_delete_elem(blocked.get(), &port), 0);
    EXPECT_TRUE(unit.sends(kOpenPort));
}

TEST_F(Queues, TheHoldQueueLetsNothingPass) {
    const Unit unit("unit.service");
    for (const auto direction : kDirections) {
        const Queue hold{direction, {}, true, Fallback::Allow};
        ASSERT_TRUE(kernel().buildQueue(hold));
        put(unit, hold);
    }
    EXPECT_FALSE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.receives(kOpenPort));
    EXPECT_EQ(counters(unit, Direction::Egress).held, 1U);
    EXPECT_EQ(counters(unit, Direction::Egress).heldBytes, kPacketSize);
}

// ---- counters -------------------------------------------------------------------------------------------

TEST_F(Queues, CountsOutliveAReorderAReplacedFilterAndARestart) {
    const Unit unit("unit.service");
    const auto nines = load("nines", "not_9999");
    const auto eights = load("eights", "not_9998");
    use(unit, Direction::Egress, {nines, eights});
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(9999));
    EXPECT_FALSE(unit.sends(9998));
    use(unit, Direction::Egress, {eights, nines});
    EXPECT_FALSE(unit.sends(9999));
    const auto replaced = load("nines", "drop", "queue_filters", "2");
    use(unit, Direction::Egress, {eights, replaced});
    EXPECT_FALSE(unit.sends(kOpenPort));
    restart();
    const auto counted = counters(unit, Direction::Egress);
    EXPECT_EQ(counted.passed, 1U);
    EXPECT_EQ(dropsOf(counted, "nines"), 3U);
    EXPECT_EQ(dropsOf(counted, "eights"), 1U);
    EXPECT_EQ(counted.dropped.size(), 2U);
    EXPECT_EQ(counted.passedBytes, kPacketSize);
    EXPECT_EQ(counted.heldBytes, 0U);
    for (const auto& drops : counted.dropped)
        EXPECT_EQ(drops.bytes, drops.packets * kPacketSize);
}

TEST_F(Queues, CountersOfAnotherVersionAreLeftToItsQueuesAndNewOnesBegin) {
    const Unit unit("unit.service");
    const auto judge = load("judge", "not_9999");
    use(unit, Direction::Egress, {judge});
    const auto pin = std::string(kPins) + "/counters";
    const UniqueFd older(::bpf_map_create(BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, "filterd_count",
                                          sizeof(bpf_cgroup_storage_key), 65 * sizeof(std::uint64_t), 0,
                                          nullptr));
    ASSERT_TRUE(older);
    ASSERT_EQ(::unlink(pin.c_str()), 0);
    ASSERT_EQ(::bpf_obj_pin(older.get(), pin.c_str()), 0);
    restart();
    EXPECT_FALSE(unit.sends(kDroppedPort)) << "a restart touches nothing";
    const auto uncounted = kernel().counters(unit.point(Direction::Egress));
    ASSERT_FALSE(uncounted);
    EXPECT_EQ(uncounted.error().code, ErrorCode::Unsupported);
    EXPECT_NE(uncounted.error().message.find("another version"), std::string::npos)
        << uncounted.error().message;
    use(unit, Direction::Egress, {judge, load("more", "not_9998")});
    EXPECT_EQ(unit.programs(Direction::Egress).size(), 1U);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(counters(unit, Direction::Egress).passedBytes, kPacketSize);
    EXPECT_EQ(dropsOf(counters(unit, Direction::Egress), "judge"), 1U);
}

TEST_F(Queues, CountsAreThoseOfOneUnitAndDirection) {
    const Unit one("one.service");
    const Unit two("two.service");
    const auto queue = build(Direction::Egress, {load("f", "not_9999")});
    put(one, queue);
    put(two, queue);
    EXPECT_TRUE(one.sends(kOpenPort));
    EXPECT_FALSE(two.sends(kDroppedPort));
    EXPECT_EQ(counters(one, Direction::Egress).passed, 1U);
    EXPECT_EQ(counters(two, Direction::Egress).passed, 0U);
    EXPECT_EQ(dropsOf(counters(two, Direction::Egress), "f"), 1U);
    EXPECT_EQ(kernel().counters(one.point(Direction::Ingress)).error().code, ErrorCode::NoSuchCgroup);
}

// ---- one program, one link ------------------------------------------------------------------------------

TEST_F(Queues, TheSameQueueIsOneProgramOnAllUnits) {
    const auto queue = build(Direction::Egress, {load("a", "not_9999"), load("b", "count")});
    std::vector<std::unique_ptr<Unit>> units;
    for (int i = 0; i < 40; ++i) {
        units.push_back(std::make_unique<Unit>("unit" + std::to_string(i) + ".service"));
        put(*units.back(), queue);
    }
    const auto program = kernel().buildQueue(queue)->programId;
    EXPECT_EQ(links().size(), units.size());
    for (const auto& unit : units)
        EXPECT_EQ(unit->programs(Direction::Egress), Ids{program});
    for (const auto& unit : units)
        EXPECT_FALSE(unit->sends(kDroppedPort));
}

TEST_F(Queues, EveryChangeIsAnUpdateOfTheSameLink) {
    const Unit unit("unit.service");
    const auto a = load("a", "not_9999");
    const auto b = load("b", "not_9998");
    use(unit, Direction::Egress, {a});
    const auto first = links();
    ASSERT_EQ(first.size(), 1U);
    for (const auto& filters : std::vector<std::vector<FilterInstance>>{{a, b}, {b, a}, {b}, {a, a, b}}) {
        use(unit, Direction::Egress, filters);
        ASSERT_EQ(links().size(), 1U);
        EXPECT_EQ(links().begin()->second.id, first.begin()->second.id);
        EXPECT_EQ(unit.programs(Direction::Egress), Ids{links().begin()->second.program});
    }
}

TEST_F(Queues, SixtyFourFiltersAreOneProgram) {
    const Unit unit("unit.service");
    auto filters = loadMany(63, "count");
    filters.push_back(load("judge", "not_9999"));
    const auto queue = build(Direction::Egress, filters);
    const auto built = kernel().buildQueue(queue);
    EXPECT_EQ(built->mode, QueueMode::Fused) << built->modeReason;
    put(unit, queue);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(counters(unit, Direction::Egress).passed, 1U);
}

// ---- more maps than one program can have ----------------------------------------------------------------

class Groups : public Queues {
  protected:
    // Two hundred maps, and between them what looks into skb->cb and what writes it.
    std::vector<FilterInstance> manyMaps() {
        auto filters = loadMany(200, "count");
        const auto looks = load("looks", "private_cb");
        for (std::size_t place = filters.size(); place > 0; place -= 50) {
            filters.insert(filters.begin() + static_cast<std::ptrdiff_t>(place), load("writes", "scribble"));
            filters.insert(filters.begin() + static_cast<std::ptrdiff_t>(place) + 1, looks);
        }
        return filters;
    }
    std::uint64_t hitsOf(const std::string& filter) {
        const std::uint32_t zero = 0;
        std::uint64_t hits = 0;
        EXPECT_EQ(::bpf_map_lookup_elem(mapOf(filter, 0).get(), &zero, &hits), 0);
        return hits;
    }
};

TEST_F(Groups, AllFiltersRunUntilOneDropsAndItIsCounted) {
    const Unit unit("unit.service");
    auto filters = manyMaps();
    const auto judge = load("judge", "not_9999");
    const auto list = load("list", "not_blocked");
    filters.push_back(judge);
    filters.push_back(list);
    filters.push_back(load("last", "count"));
    for (const auto direction : kDirections) {
        const auto queue = build(direction, filters);
        EXPECT_EQ(kernel().buildQueue(queue)->mode, QueueMode::Fused);
        put(unit, queue);
    }
    restart(); // nothing but the pins keeps the groups' programs
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_TRUE(unit.receives(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    for (const std::string name : {"many-0", "many-99", "many-199"})
        EXPECT_EQ(hitsOf(name), 3U) << name;
    EXPECT_EQ(hitsOf("last"), 2U) << "the first drop wins";
    const std::uint32_t port = kOpenPort; // live, also in a group
    const std::uint8_t yes = 1;
    ASSERT_EQ(::bpf_map_update_elem(mapOf("list", 1).get(), &port, &yes, BPF_ANY), 0);
    EXPECT_FALSE(unit.receives(kOpenPort));
    EXPECT_EQ(counters(unit, Direction::Egress).passed, 1U);
    EXPECT_EQ(counters(unit, Direction::Ingress).passed, 1U);
}

TEST_F(Groups, WhatDropsInAGroupIsCountedUnderItsName) {
    const Unit unit("unit.service");
    auto filters = loadMany(61, "count"); // more maps than there is room for
    filters.push_back(load("list", "not_blocked"));
    filters.push_back(load("judge", "not_9998"));
    filters.push_back(load("late", "not_9999")); // there are slots for 63
    use(unit, Direction::Egress, filters);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(9998));
    EXPECT_FALSE(unit.sends(9998));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    const auto counted = counters(unit, Direction::Egress);
    EXPECT_EQ(counted.passed, 1U);
    EXPECT_EQ(dropsOf(counted, "judge"), 2U);
    EXPECT_EQ(counted.dropped.front().bytes, 2 * kPacketSize);
    EXPECT_EQ(counted.dropped.size(), 1U);
}

TEST_F(Groups, CongestionBitsComeOutOfThem) {
    auto filters = loadMany(61, "count");
    filters.push_back(load("list", "not_blocked"));
    filters.push_back(load("congestion", "congestion"));
    const auto program = programOf(build(Direction::Egress, filters));
    EXPECT_EQ(verdictOf(program.get(), kOpenPort), 1U);
    EXPECT_EQ(verdictOf(program.get(), 9996), 3U);
    EXPECT_EQ(verdictOf(program.get(), 9997), 2U);
}

// ---- what is no function
// -----------------------------------------------------------------------------------

TEST_F(Queues, AFilterOfAnotherLicenceRunsByTailCallInItsPlace) {
    const Unit unit("unit.service");
    const auto other = load("other", "", "other_license");
    const auto before = load("before", "not_9998");
    const auto after = load("after", "not_blocked");
    for (const auto direction : kDirections) {
        const auto queue = build(direction, {before, other, after});
        const auto built = kernel().buildQueue(queue);
        EXPECT_EQ(built->mode, QueueMode::Fused);
        EXPECT_NE(built->modeReason.find("'other' runs by tail call"), std::string::npos)
            << built->modeReason;
        put(unit, queue);
        EXPECT_EQ(unit.programs(direction).size(), 1U);
    }
    restart(); // the daemon's descriptors are gone: the tail call must go on
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_TRUE(unit.receives(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_FALSE(unit.receives(kDroppedPort));
    EXPECT_FALSE(unit.sends(9998));
    EXPECT_EQ(dropsOf(counters(unit, Direction::Egress), "other"), 1U);
}

TEST_F(Queues, AFilterWithStorageOfItsOwnMakesItALinkPerFilter) {
    const Unit unit("unit.service");
    const auto judge = load("judge", "not_9998");
    const auto storage = load("storage", "", "storage");
    const auto queue = build(Direction::Egress, {judge, storage, judge});
    const auto built = kernel().buildQueue(queue);
    EXPECT_EQ(built->mode, QueueMode::Links);
    EXPECT_NE(built->modeReason.find("'storage'"), std::string::npos);
    put(unit, queue);
    EXPECT_EQ(unit.programs(Direction::Egress).size(), 3U);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_FALSE(unit.sends(9998));
    EXPECT_EQ(kernel().counters(unit.point(Direction::Egress)).error().code, ErrorCode::Unsupported);
    use(unit, Direction::Egress, {judge}); // and back
    EXPECT_EQ(unit.programs(Direction::Egress).size(), 1U);
    EXPECT_TRUE(unit.sends(kDroppedPort));
    EXPECT_FALSE(unit.sends(9998));
}

TEST_F(Queues, RefusingTheFallbackNamesFilterAndReasonAndBuildsNothing) {
    const auto storage = load("storage", "", "storage");
    const Queue strict{Direction::Egress, {load("judge", "not_9998"), storage}, false, Fallback::Refuse};
    const auto refused = kernel().buildQueue(strict);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
    EXPECT_NE(refused.error().message.find("'storage'"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("cgroup local storage"), std::string::npos);
    EXPECT_FALSE(programOf(strict));
}

TEST_F(Queues, RefusesMoreSeparateFiltersThanTheKernelTakes) {
    const auto refused = kernel().buildQueue({Direction::Egress,
                                              std::vector<FilterInstance>(65, load("storage", "", "storage")),
                                              false, Fallback::Allow});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

} // namespace
} // namespace filterd::test
