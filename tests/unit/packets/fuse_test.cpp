// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The fuser by what its programs do: an interpreter runs them beside a model of the queue.

#include "fuse_sample.hpp"

#include <algorithm>
#include <random>
#include <string>

namespace filterd::test {
namespace {

// A group has no tail calls, and its filters have a slot or none.
void makeGroup(Sample& sample, std::size_t from) {
    sample.groupsFrom = from;
    for (auto& member : sample.members) {
        member.isTailCall = false;
        if (member.slot > kLastFilterSlot)
            member.slot = 0;
    }
}

Sample randomSample(std::mt19937& random) {
    const auto below = [&](unsigned limit) {
        return std::uniform_int_distribution<unsigned>(0, limit - 1)(random);
    };
    Sample sample;
    sample.direction = below(2) == 0 ? Direction::Ingress : Direction::Egress;
    sample.congestion = sample.direction == Direction::Egress && below(2) == 0;
    sample.interim = below(3) == 0;
    sample.counts = !sample.interim && below(4) != 0;
    if (sample.interim)
        sample.gateWord = 5 | (below(2) != 0 ? kGateCongestionBit : 0);
    for (unsigned count = 1 + below(12); count > 0; --count) {
        const bool drops = below(8) == 0;
        const std::int32_t bit = sample.congestion && below(4) == 0 ? 2 : 0;
        sample.members.push_back({(drops ? 0 : 1) | bit, below(4) == 0, below(kLastFilterSlot + 2)});
    }
    for (unsigned length = below(20); length > 0; --length)
        sample.order.push_back(below(static_cast<unsigned>(sample.members.size())));
    sample.inlines = below(3) != 0;
    sample.busy = below(2) != 0;
    sample.logOnly = below(4) == 0;
    sample.reports = below(2) == 0;
    if (below(3) == 0)
        makeGroup(sample, below(20));
    if (!sample.logOnly && below(3) == 0)
        sample.logged =
            std::min<std::size_t>(below(static_cast<unsigned>(sample.order.size()) + 1), sample.groupsFrom);
    return sample;
}

TEST(Fuse, DoesWhatTheQueueSaysForGeneratedQueues) {
    std::mt19937 random(20250101); // NOLINT(cert-msc32-c,cert-msc51-cpp): failures must be repeatable
    for (int round = 0; round < 3000 && !testing::Test::HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        check(randomSample(random));
    }
}

TEST(Fuse, TheFirstDropWins) {
    const Sample sample{.members = {{1, false, 1}, {0, false, 2}, {0, false, 3}}, .order = {0, 1, 2}};
    const auto outcome = run(sample);
    EXPECT_EQ(outcome.verdict, 0U);
    EXPECT_EQ(outcome.ran, (std::vector<std::int32_t>{0, 1}));
    EXPECT_EQ(outcome.counts[2], 1U);
    EXPECT_EQ(outcome.counts[3] + outcome.counts[kPassedSlot], 0U);
}

TEST(Fuse, WhatOnlyLogsCountsTheFirstDropAndPasses) {
    Sample sample{.members = {{1, false, 1}, {0, false, 2}, {0, false, 3}}, .order = {0, 1, 2}};
    sample.logOnly = true;
    const auto outcome = run(sample);
    EXPECT_EQ(outcome.verdict, 1U);
    EXPECT_EQ(outcome.ran, (std::vector<std::int32_t>{0, 1}));
    EXPECT_EQ(outcome.counts[2], 1U);
    EXPECT_EQ(outcome.counts[3] + outcome.counts[kPassedSlot], 0U);
    sample.counts = false;
    sample.interim = true;
    EXPECT_TRUE(run(sample).atGate) << "the queues of the cgroups above have their say";
}

TEST(Fuse, FiltersThatOnlyLogStandBeforeOthersThatDrop) {
    Sample sample{.members = {{0, false, 1}, {1, false, 2}, {1, false, 3}, {0, false, 4}},
                  .order = {0, 1, 2, 3, 2}};
    sample.logged = 2;
    auto outcome = run(sample);
    EXPECT_EQ(outcome.verdict, 0U);
    EXPECT_EQ(outcome.ran, (std::vector<std::int32_t>{0, 2, 3}));
    EXPECT_EQ(outcome.counts[1], 1U);
    EXPECT_EQ(outcome.counts[4], 1U);
    sample.order = {0, 1, 2};
    outcome = run(sample);
    EXPECT_EQ(outcome.verdict, 1U);
    EXPECT_EQ(outcome.counts[kPassedSlot], 1U);
}

TEST(Fuse, RunsTheFiltersInTheOrderOfTheQueueAndTheSameOneTwice) {
    const Sample sample{.members = {{1, false, 1}, {1, false, 2}}, .order = {1, 0, 1}};
    EXPECT_EQ(run(sample).ran, (std::vector<std::int32_t>{1, 0, 1}));
    EXPECT_EQ(fuseSample(sample)->functions.size(), 3U) << "a filter's code is there once";
}

TEST(Fuse, CombinesTheCongestionBitsOfTheFiltersThatRan) {
    Sample sample{.members = {{3, false, 1}, {1, false, 2}, {0, false, 3}, {2, false, 4}},
                  .order = {0, 1},
                  .direction = Direction::Egress,
                  .congestion = true};
    EXPECT_EQ(run(sample).verdict, 3U);
    sample.order = {0, 2, 3};
    EXPECT_EQ(run(sample).verdict, 2U);
    sample.order = {1, 2, 3};
    EXPECT_EQ(run(sample).verdict, 0U);
}

TEST(Fuse, WhatDropsInAGroupIsCountedInItsSlot) {
    Sample sample{.members = {{1, false, 1}, {1, false, 2}, {0, false, 3}, {0, false, 0}},
                  .order = {0, 1, 2}};
    sample.groupsFrom = 1;
    const auto outcome = run(sample);
    EXPECT_EQ(outcome.verdict, 0U);
    EXPECT_EQ(outcome.ran, (std::vector<std::int32_t>{0, 1, 2}));
    EXPECT_EQ(outcome.counts[3], 1U);
    sample.order = {0, 1, 3}; // has none
    EXPECT_EQ(run(sample).counts, decltype(Outcome::counts){});
}

// ---- within the dispatcher ------------------------------------------------------------------------------

TEST(Fuse, WhatStandsWithinTheDispatcherIsNoFunction) {
    Sample sample{.members = {{1, false, 1}, {0, false, 2}}, .order = {0, 0, 1}};
    sample.inlines = true;
    check(sample);
    EXPECT_EQ(fuseSample(sample)->functions.size(), 1U);
    sample.busy = true; // three registers
    check(sample);
    EXPECT_EQ(fuseSample(sample)->functions.size(), 1U);
    sample.direction = Direction::Egress;
    sample.congestion = true; // needs one of them itself
    check(sample);
    EXPECT_EQ(fuseSample(sample)->functions.size(), 2U);
}

TEST(Fuse, TakesIntoTheDispatcherOnlyWhatItsJumpsReach) {
    Program large(9000, set(BPF_REG_2, 1));
    large.push_back(set(BPF_REG_0, 1));
    large.push_back(leave());
    FuseInput input{.direction = Direction::Ingress, .parts = {}, .order = {0, 1, 2}};
    input.inlines = true;
    for (int i = 0; i < 3; ++i)
        input.parts.push_back({.instructions = large, .maps = {}});
    EXPECT_EQ(fuse(input)->functions.size(), 2U);
    input.order = {0, 0, 0};
    input.parts.resize(1);
    EXPECT_EQ(fuse(input)->functions.size(), 2U) << "a place more is as much code again";
}

TEST(Fuse, AQueueOfNothingPassesAndCounts) {
    const auto outcome = run({});
    EXPECT_EQ(outcome.verdict, 1U);
    EXPECT_EQ(outcome.counts[kPassedSlot], 1U);
}

TEST(Fuse, TheHoldQueueDropsAndCountsApart) {
    FuseInput input{.direction = Direction::Egress, .parts = {}, .order = {}, .hold = true};
    input.counterMap = kCounters;
    const auto program = fuse(input);
    ASSERT_TRUE(program);
    const auto outcome = Machine(*program).run();
    EXPECT_EQ(outcome.verdict, 0U);
    EXPECT_EQ(outcome.counts[kHeldSlot], 1U);
    EXPECT_EQ(outcome.counts[kPassedSlot], 0U);
}

TEST(Fuse, AMissingTailCallOrGateDrops) { // I1
    Sample sample{.members = {{1, true, 1}}, .order = {0}};
    const auto withTailCall = fuseSample(sample);
    ASSERT_TRUE(withTailCall);
    EXPECT_EQ(Machine(*withTailCall).run().verdict, 0U);
    Sample interim{.members = {{1, false, 1}}, .order = {0}, .counts = false, .interim = true};
    const auto toGate = fuseSample(interim);
    ASSERT_TRUE(toGate);
    auto machine = machineFor(*toGate, interim);
    machine.gateIsThere = false;
    const auto outcome = machine.run();
    EXPECT_FALSE(outcome.atGate);
    EXPECT_EQ(outcome.verdict, 0U);
}

TEST(Fuse, TheLongestQueueJumpsWhereItShould) {
    Sample sample{.members = {{1, false, 1}, {0, false, 63}}, .order = {}};
    sample.direction = Direction::Egress;
    sample.congestion = true;
    sample.order.assign(kMaxQueueLength, 0);
    check(sample);
    sample.order.back() = 1;
    check(sample);
    sample.order.front() = 1;
    check(sample);
    sample.order.push_back(0);
    const auto refused = fuseSample(sample);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

TEST(Fuse, TakesAsManyFunctionsAsTheKernel) {
    Sample sample;
    for (std::size_t i = 0; i + 1 < kMaxFunctions; ++i) {
        sample.members.push_back({1, false, 0});
        sample.order.push_back(i);
    }
    check(sample);
    sample.members.push_back({1, false, 0});
    const auto refused = fuseSample(sample);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

TEST(Fuse, RefusesATailCallWithoutAProgramArray) {
    FuseInput input{.direction = Direction::Ingress, .parts = {FusePart{}}, .order = {0}};
    ASSERT_FALSE(fuse(input));
    EXPECT_EQ(fuse(input).error().code, ErrorCode::Internal);
}

// ---- filters with functions and maps ---------------------------------------------------------------------

FuseInput inputOf(InstructionView block, std::vector<std::uint32_t> maps) {
    FuseInput input{.direction = Direction::Ingress, .parts = {}, .order = {0}};
    input.parts.push_back({.instructions = block, .maps = std::move(maps)});
    return input;
}

TEST(Fuse, PutsTheIndexOfTheTableInPlaceOfTheFiltersMapIndex) {
    auto block = withFunctions(1);
    const auto program = fuse(inputOf(block, {kFirstFree, kFirstFree + 7}));
    ASSERT_TRUE(program);
    const auto& first = program->instructions[program->functions[1].instruction];
    EXPECT_EQ(first.src_reg, BPF_PSEUDO_MAP_IDX);
    EXPECT_EQ(first.imm, static_cast<std::int32_t>(kFirstFree + 7));
    block[0].src_reg = BPF_PSEUDO_MAP_VALUE;
    block[1].imm = 24; // the offset in the value
    const auto value = fuse(inputOf(block, {0, 9}));
    ASSERT_TRUE(value);
    const auto at = value->functions[1].instruction;
    EXPECT_EQ(value->instructions[at].src_reg, BPF_PSEUDO_MAP_IDX_VALUE);
    EXPECT_EQ(value->instructions[at].imm, 9);
    EXPECT_EQ(value->instructions[at + 1].imm, 24);
}

TEST(Fuse, RefusesAMapIndexOutOfRange) {
    for (const std::int32_t map : {-1, 2, 1 << 30}) {
        const auto block = withFunctions(map);
        const auto refused = fuse(inputOf(block, {5, 6}));
        ASSERT_FALSE(refused) << map;
        EXPECT_EQ(refused.error().code, ErrorCode::InvalidObject);
        EXPECT_FALSE(standalone(block, 2)) << map;
    }
}

TEST(Fuse, EveryFunctionIsInTheTableAndOnlyFiltersAreBoundaries) {
    const auto block = withFunctions(0);
    const auto program = fuse(inputOf(block, {kFirstFree}));
    ASSERT_TRUE(program);
    ASSERT_EQ(program->functions.size(), 4U);
    EXPECT_EQ(program->functions[0], (FunctionStart{0, FunctionKind::Filter}));
    const auto start = program->functions[1].instruction;
    EXPECT_EQ(program->functions[1], (FunctionStart{start, FunctionKind::Filter}));
    EXPECT_EQ(program->functions[2], (FunctionStart{start + 4, FunctionKind::Part}));
    EXPECT_EQ(program->functions[3], (FunctionStart{start + 8, FunctionKind::Part}));
    // Nothing runs into a function.
    for (std::size_t i = 1; i < program->functions.size(); ++i)
        EXPECT_EQ(program->instructions[program->functions[i].instruction - 1].code, BPF_JMP | BPF_EXIT);
}

TEST(Fuse, FunctionsAreInAscendingOrderHoweverManyFiltersThereAre) {
    const auto one = withFunctions(0);
    FuseInput input = inputOf(one, {kFirstFree});
    input.parts.push_back(input.parts.front());
    input.parts.push_back(input.parts.front());
    input.order = {2, 0, 1, 2};
    const auto program = fuse(input);
    ASSERT_TRUE(program);
    EXPECT_EQ(program->functions.size(), 10U);
    EXPECT_TRUE(std::is_sorted(program->functions.begin(), program->functions.end(),
                               [](const auto& a, const auto& b) { return a.instruction < b.instruction; }));
}

TEST(Standalone, IsTheFilterWithItsOwnMaps) {
    const auto block = withFunctions(1);
    const auto program = standalone(block, 2);
    ASSERT_TRUE(program);
    EXPECT_EQ(program->instructions.size(), block.size());
    EXPECT_EQ(program->instructions[0].src_reg, BPF_PSEUDO_MAP_IDX);
    EXPECT_EQ(program->instructions[0].imm, 1);
    EXPECT_EQ(program->functions,
              (std::vector<FunctionStart>{
                  {0, FunctionKind::Filter}, {4, FunctionKind::Part}, {8, FunctionKind::Part}}));
}

// Looks into skb->cb, but leaves it.
Program reader() {
    return {insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_1, offsetof(__sk_buff, cb)), leave()};
}

TEST(Fuse, ClearsSkbCbOnlyForWhoLooksBehindWhoWrites) {
    const auto writer = filter(0, 1);
    const auto looks = reader();
    FuseInput input{.direction = Direction::Ingress, .parts = {}, .order = {}};
    for (const auto* block : {&writer, &looks}) {
        const auto traits = examine(*block);
        input.parts.push_back(
            {.instructions = *block, .maps = {}, .readsCb = traits.readsCb, .writesCb = traits.writesCb});
    }
    input.parts[0].readsCb = false;
    const auto clears = [&](std::vector<std::size_t> order, bool interim) {
        input.order = std::move(order);
        input.gateArray = interim ? std::optional<std::uint32_t>(kGate) : std::nullopt;
        const auto program = fuse(input);
        const auto end = program->instructions.begin() + program->functions[1].instruction;
        return std::count_if(program->instructions.begin(), end, [](const bpf_insn& one) {
            return one.code == (BPF_STX | BPF_MEM | BPF_DW) && one.off == offsetof(__sk_buff, cb);
        });
    };
    EXPECT_EQ(clears({1, 1, 1}, false), 0);
    EXPECT_EQ(clears({0, 0, 0}, false), 0);
    EXPECT_EQ(clears({0, 1, 1}, false), 1);
    EXPECT_EQ(clears({0, 1, 0, 0, 1}, false), 2);
    EXPECT_EQ(clears({1, 1, 0}, true), 1) << "the gate's word is hidden from the first that looks";
}

} // namespace
} // namespace filterd::test
