// The fuser by what its programs do: an interpreter runs them beside a model of the queue.

#include "fuse_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace filterd::test {
namespace {

// ---- a queue, its program and its model -----------------------------------------------------------------

struct Member {
    std::int32_t verdict = 1;
    bool stub = false;
    std::uint32_t slot = 0;
};

struct Sample {
    std::vector<Member> members;
    std::vector<std::size_t> order;
    Direction direction = Direction::Ingress;
    bool congestion = false;
    bool counts = true;
    bool interim = false;
    std::uint32_t gateWord = 0;
    bool inlines = false;
    bool logOnly = false;
    bool reports = false;
    bool busy = false;            // blocks with many registers
    std::size_t groupsFrom = ~0U; // the members of the order from this place on make up a group
};

std::vector<Program> blocksOf(const Sample& sample) {
    std::vector<Program> blocks;
    for (std::size_t i = 0; i < sample.members.size(); ++i)
        blocks.push_back((sample.busy && i % 2 == 0 ? busyFilter : filter)(static_cast<std::int32_t>(i),
                                                                           sample.members[i].verdict));
    return blocks;
}

constexpr std::uint32_t kReportFlags = 5;

// Programs of the kernel with ids of 101 and on.
std::uint32_t programIdOf(std::size_t member) { return static_cast<std::uint32_t>(member) + 101; }

FuseReporter reporterOf(const Program& code) { return {.block = code, .maps = {}, .flags = kReportFlags}; }

Result<FusedProgram> fuseSample(const Sample& sample) {
    const auto reports = reporter();
    const auto blocks = blocksOf(sample);
    FuseInput input{.direction = sample.direction, .parts = {}, .order = sample.order};
    for (std::size_t i = 0; i < sample.members.size(); ++i) {
        FusePart part{.block = blocks[i], .maps = {}};
        part.counterSlot = sample.members[i].slot;
        part.stubIndex = static_cast<std::uint32_t>(i);
        part.programId = programIdOf(i);
        if (sample.members[i].stub)
            part.block = {};
        input.parts.push_back(std::move(part));
    }
    input.congestion = sample.congestion;
    input.inlines = sample.inlines;
    input.logOnly = sample.logOnly;
    if (sample.groupsFrom < sample.order.size()) {
        FusePart group{.block = {}, .maps = {}};
        group.group = true;
        group.stubIndex = static_cast<std::uint32_t>(sample.members.size());
        input.order.resize(sample.groupsFrom);
        input.order.push_back(input.parts.size());
        input.parts.push_back(std::move(group));
    }
    if (sample.counts)
        input.counterMap = kCounters;
    if (sample.reports)
        input.reporter = reporterOf(reports);
    input.stubArray = kStubs;
    if (sample.interim)
        input.gateArray = kGate;
    return fuse(input);
}

// What the members from that place on are as a program of their own.
FusedProgram groupOf(const Sample& sample) {
    const auto reports = reporter();
    const auto blocks = blocksOf(sample);
    FuseInput input{.direction = sample.direction, .parts = {}, .order = {}};
    for (std::size_t i = 0; i < sample.members.size(); ++i) {
        input.parts.push_back({.block = blocks[i], .maps = {}});
        input.parts.back().counterSlot = std::min(sample.members[i].slot, kLastFilterSlot);
        input.parts.back().programId = programIdOf(i);
    }
    if (sample.reports)
        input.reporter = reporterOf(reports);
    input.order.assign(sample.order.begin() + static_cast<std::ptrdiff_t>(sample.groupsFrom),
                       sample.order.end());
    input.congestion = sample.congestion;
    input.inlines = sample.inlines;
    input.isGroup = true;
    return fuse(input).value();
}

Machine machineFor(const FusedProgram& program, const Sample& sample) {
    Machine machine(program);
    if (sample.groupsFrom < sample.order.size())
        machine.groups.emplace(sample.members.size(), groupOf(sample));
    for (std::size_t i = 0; i < sample.members.size(); ++i)
        if (sample.members[i].stub)
            machine.stubs[i] = {static_cast<std::int32_t>(i),
                                static_cast<std::uint64_t>(sample.members[i].verdict)};
    machine.gateWord = sample.gateWord;
    return machine;
}

Outcome expected(const Sample& sample) {
    Outcome outcome;
    bool drops = false;
    std::uint64_t bits = 0;
    const std::uint64_t deeper = (sample.gateWord & kGateCongestionBit) != 0 ? 2 : 0;
    for (const std::size_t place : sample.order) {
        const auto& member = sample.members[place];
        const auto verdict = static_cast<std::uint64_t>(member.verdict);
        outcome.ran.push_back(static_cast<std::int32_t>(place));
        bits |= verdict & 2;
        if ((verdict & 1) != 0)
            continue;
        if (sample.counts && member.slot >= kFirstFilterSlot && member.slot <= kLastFilterSlot)
            outcome.counts[member.slot] = 1;
        if (sample.reports)
            outcome.reports.emplace_back(programIdOf(place), kReportFlags);
        drops = true;
        if (sample.logOnly)
            break;
        outcome.verdict = bits;
        if (sample.interim && sample.direction == Direction::Egress)
            outcome.verdict |= deeper;
        return outcome;
    }
    outcome.counts[kPassedSlot] = sample.counts && !drops ? 1 : 0;
    outcome.atGate = sample.interim;
    outcome.verdict = bits | 1;
    outcome.cb[4] = sample.gateWord | static_cast<std::uint32_t>(bits << 15);
    return outcome;
}

Outcome run(const Sample& sample) {
    const auto program = fuseSample(sample);
    EXPECT_TRUE(program) << (program ? "" : program.error().message);
    return program ? machineFor(*program, sample).run() : Outcome{};
}

void check(const Sample& sample) {
    const auto wanted = expected(sample);
    const auto got = run(sample);
    EXPECT_EQ(got.ran, wanted.ran);
    EXPECT_EQ(got.counts, wanted.counts);
    EXPECT_EQ(got.reports, wanted.reports);
    for (std::size_t slot = 0; slot < got.bytes.size(); ++slot)
        EXPECT_EQ(got.bytes[slot], got.counts[slot] * kPacketLength);
    EXPECT_EQ(got.atGate, wanted.atGate);
    EXPECT_FALSE(got.sawForeignCb) << "a filter saw what another left in skb->cb";
    EXPECT_EQ(wanted.atGate ? got.cb[4] : got.verdict, wanted.atGate ? wanted.cb[4] : wanted.verdict);
}

// A group has no stubs, and its filters have a slot or none.
void makeGroup(Sample& sample, std::size_t from) {
    sample.groupsFrom = from;
    for (auto& member : sample.members) {
        member.stub = false;
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
        input.parts.push_back({.block = large, .maps = {}});
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

TEST(Fuse, AMissingStubOrGateDrops) { // I1
    Sample stub{.members = {{1, true, 1}}, .order = {0}};
    const auto withStub = fuseSample(stub);
    ASSERT_TRUE(withStub);
    EXPECT_EQ(Machine(*withStub).run().verdict, 0U);
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

TEST(Fuse, RefusesAStubWithoutAProgramArray) {
    FuseInput input{.direction = Direction::Ingress, .parts = {FusePart{}}, .order = {0}};
    ASSERT_FALSE(fuse(input));
    EXPECT_EQ(fuse(input).error().code, ErrorCode::Internal);
}

// ---- blocks with functions and maps ---------------------------------------------------------------------

FuseInput inputOf(InstructionView block, std::vector<std::uint32_t> maps) {
    FuseInput input{.direction = Direction::Ingress, .parts = {}, .order = {0}};
    input.parts.push_back({.block = block, .maps = std::move(maps)});
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
            {.block = *block, .maps = {}, .readsCb = traits.readsCb, .writesCb = traits.writesCb});
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

// ---- reports --------------------------------------------------------------------------------------------

std::size_t callsOfTheReporter(const FusedProgram& program) {
    const auto start = program.functions.back().instruction;
    std::size_t calls = 0;
    for (std::size_t i = 0; i < program.instructions.size(); ++i) {
        const auto& one = program.instructions[i];
        calls += one.code == kCallCode && one.src_reg == BPF_PSEUDO_CALL &&
                         i + 1 + static_cast<std::size_t>(one.imm) == start
                     ? 1
                     : 0;
    }
    return calls;
}

// What runs when every filter passes.
std::size_t instructionsToThePass(const Sample& sample) {
    const auto program = fuseSample(sample);
    EXPECT_TRUE(program);
    auto machine = machineFor(*program, sample);
    machine.run();
    return machine.steps();
}

TEST(FuseReports, ThereIsOneCallAndItIsBehindTheDrops) {
    Sample sample{.members = {{1, false, 1}, {1, false, 2}, {1, true, 3}}, .order = {0, 1, 2}};
    for (const bool inlines : {false, true})
        for (const bool interim : {false, true})
            for (const bool logOnly : {false, true}) {
                sample.inlines = inlines;
                sample.interim = interim;
                sample.counts = !interim;
                sample.logOnly = logOnly;
                sample.reports = false;
                const auto without = instructionsToThePass(sample);
                sample.reports = true;
                EXPECT_EQ(instructionsToThePass(sample), without);
                const auto program = fuseSample(sample);
                ASSERT_TRUE(program);
                EXPECT_EQ(program->functions.back().kind, FunctionKind::Reporter);
                EXPECT_EQ(callsOfTheReporter(*program), 1U);
            }
}

TEST(FuseReports, BytesCostFourInstructionsOnTheWayOfAPacket) {
    // The context, two of a filter's call, its own three, its drop; the storage, five of them; three of the
    // count, four of the bytes, two of the verdict.
    const Program nothing{set(BPF_REG_2, 0), set(BPF_REG_0, 1), leave()};
    FuseInput input{.direction = Direction::Ingress, .parts = {}, .order = {0}};
    input.parts.push_back({.block = nothing, .maps = {}});
    input.counterMap = kCounters;
    const auto report = reporter();
    input.reporter = reporterOf(report);
    const auto program = fuse(input);
    ASSERT_TRUE(program);
    Machine machine(*program);
    machine.run();
    EXPECT_EQ(machine.steps(), 1U + 2U + 3U + 1U + 3U + 3U + 4U + 2U);
}

TEST(FuseReports, NameTheFilterThatDropped) {
    Sample sample{.members = {{1, false, 1}, {0, false, 2}, {0, true, 99}, {0, false, 0}},
                  .order = {0, 1, 2}};
    using Reports = decltype(Outcome::reports);
    for (const bool inlines : {false, true}) {
        sample.inlines = inlines;
        sample.reports = true;
        sample.order = {0, 1, 2};
        EXPECT_EQ(run(sample).reports, (Reports{{programIdOf(1), kReportFlags}}));
        sample.order = {0, 2, 1};
        EXPECT_EQ(run(sample).reports, (Reports{{programIdOf(2), kReportFlags}}))
            << "though it has no counter";
        sample.order = {3};
        EXPECT_EQ(run(sample).reports, (Reports{{programIdOf(3), kReportFlags}}));
        sample.order = {0};
        EXPECT_EQ(run(sample).reports, Reports{});
    }
}

TEST(FuseReports, AGroupReportsByItself) {
    Sample sample{.members = {{1, false, 1}, {1, false, 2}, {0, false, 3}}, .order = {0, 1, 2}};
    sample.groupsFrom = 1;
    sample.reports = true;
    const auto outcome = run(sample);
    EXPECT_EQ(outcome.reports, (decltype(Outcome::reports){{programIdOf(2), kReportFlags}}));
    EXPECT_EQ(outcome.counts[3], 1U);
    sample.interim = true;
    sample.counts = false;
    EXPECT_EQ(run(sample).reports.size(), 1U);
}

TEST(FuseReports, TheHoldQueueReportsProgramZero) {
    const auto report = reporter();
    FuseInput input{.direction = Direction::Egress, .parts = {}, .order = {}, .hold = true};
    input.counterMap = kCounters;
    input.reporter = reporterOf(report);
    const auto program = fuse(input);
    ASSERT_TRUE(program);
    const auto outcome = Machine(*program).run();
    EXPECT_EQ(outcome.reports, (decltype(Outcome::reports){{0, kReportFlags}}));
    EXPECT_EQ(outcome.counts[kHeldSlot], 1U);
    EXPECT_EQ(outcome.bytes[kHeldSlot], kPacketLength);
    EXPECT_EQ(outcome.verdict, 0U);
}

TEST(FuseReports, WhereNothingCanDropThereIsNoReporter) {
    Sample sample;
    sample.reports = true;
    EXPECT_EQ(fuseSample(sample)->functions.size(), 1U);
}

TEST(FuseReports, TheReporterIsOneOfTheFunctions) {
    Sample sample;
    sample.reports = true;
    for (std::size_t i = 0; i + 2 < kMaxFunctions; ++i) {
        sample.members.push_back({1, false, 0});
        sample.order.push_back(i);
    }
    check(sample);
    sample.members.push_back({1, false, 0});
    sample.order.push_back(sample.members.size() - 1);
    const auto refused = fuseSample(sample);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

TEST(FuseReports, TheGatesWordIsKeptOverAReport) {
    Sample sample{.members = {{0, false, 1}}, .order = {0}, .counts = false, .interim = true};
    sample.logOnly = true;
    sample.reports = true;
    sample.gateWord = 5 | kGateCongestionBit;
    const auto outcome = run(sample);
    EXPECT_TRUE(outcome.atGate);
    EXPECT_EQ(outcome.cb[4], sample.gateWord);
    EXPECT_EQ(outcome.reports.size(), 1U);
}

} // namespace
} // namespace filterd::test
