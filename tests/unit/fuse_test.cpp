// The fuser by what its programs do: an interpreter runs them beside a model of the queue.

#include "fuse_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace filterd::test {
namespace {

// Tells that it runs, scribbles over skb->cb, returns the verdict.
Program filter(std::int32_t number, std::int32_t verdict) {
    Program code{insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1), set(BPF_REG_1, number),
                 insn(kCallCode, 0, 0, 0, kLogHelper), set(BPF_REG_2, -1)};
    for (int word = 0; word < 5; ++word)
        code.push_back(
            insn(BPF_STX | BPF_MEM | BPF_W, BPF_REG_6, BPF_REG_2,
                 static_cast<std::int16_t>(offsetof(__sk_buff, cb) + static_cast<std::size_t>(word) * 4)));
    code.push_back(set(BPF_REG_0, verdict));
    code.push_back(leave());
    return code;
}

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
};

Result<FusedProgram> fuseSample(const Sample& sample) {
    std::vector<Program> blocks;
    for (std::size_t i = 0; i < sample.members.size(); ++i)
        blocks.push_back(filter(static_cast<std::int32_t>(i), sample.members[i].verdict));
    FuseInput input{.direction = sample.direction, .parts = {}, .order = sample.order};
    for (std::size_t i = 0; i < sample.members.size(); ++i) {
        FusePart part{.block = blocks[i], .maps = {}};
        part.counterSlot = sample.members[i].slot;
        part.stubIndex = static_cast<std::uint32_t>(i);
        if (sample.members[i].stub)
            part.block = {};
        input.parts.push_back(std::move(part));
    }
    input.congestion = sample.congestion;
    if (sample.counts)
        input.counterMap = kCounters;
    input.stubArray = kStubs;
    if (sample.interim)
        input.gateArray = kGate;
    return fuse(input);
}

Machine machineFor(const FusedProgram& program, const Sample& sample) {
    Machine machine(program);
    for (std::size_t i = 0; i < sample.members.size(); ++i)
        if (sample.members[i].stub)
            machine.stubs[i] = {static_cast<std::int32_t>(i),
                                static_cast<std::uint64_t>(sample.members[i].verdict)};
    machine.gateWord = sample.gateWord;
    return machine;
}

Outcome expected(const Sample& sample) {
    Outcome outcome;
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
        outcome.verdict = bits;
        if (sample.interim && sample.direction == Direction::Egress)
            outcome.verdict |= deeper;
        return outcome;
    }
    outcome.counts[kPassedSlot] = sample.counts ? 1 : 0;
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
    EXPECT_EQ(got.atGate, wanted.atGate);
    EXPECT_FALSE(got.sawForeignCb) << "a filter saw what another left in skb->cb";
    EXPECT_EQ(wanted.atGate ? got.cb[4] : got.verdict, wanted.atGate ? wanted.cb[4] : wanted.verdict);
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

// main: r1 = map[map]; call part; exit.  part: r0 = &callback; r0 = 1; exit.  callback: r0 = 0; exit.
Program withFunctions(std::int32_t map) {
    return {insn(kWide, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
            insn(0),
            insn(kCallCode, 0, BPF_PSEUDO_CALL, 0, 1),
            leave(),
            insn(kWide, BPF_REG_0, BPF_PSEUDO_FUNC, 0, 3),
            insn(0),
            set(BPF_REG_0, 1),
            leave(),
            set(BPF_REG_0, 0),
            leave()};
}

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
    EXPECT_EQ(program->functions[0], (FunctionStart{0, true}));
    const auto start = program->functions[1].instruction;
    EXPECT_EQ(program->functions[1], (FunctionStart{start, true}));
    EXPECT_EQ(program->functions[2], (FunctionStart{start + 4, false}));
    EXPECT_EQ(program->functions[3], (FunctionStart{start + 8, false}));
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
    EXPECT_EQ(program->functions, (std::vector<FunctionStart>{{0, true}, {4, false}, {8, false}}));
}

// ---- examine --------------------------------------------------------------------------------------------

TEST(Examine, FindsFunctionsCallbacksAndMaps) {
    const auto traits = examine(withFunctions(4));
    EXPECT_EQ(traits.functions, 3U);
    EXPECT_EQ(traits.maps, std::vector<std::uint32_t>{4});
    EXPECT_FALSE(traits.tailCalls);
    EXPECT_FALSE(traits.refersToModules);
    EXPECT_TRUE(traits.kernelCalls.empty());
}

TEST(Examine, NamesEveryMapOnceInAscendingOrder) {
    Program code;
    for (const std::int32_t map : {7, 2, 7, 3}) {
        code.push_back(insn(kWide, BPF_REG_1, map == 3 ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD, 0, map));
        code.push_back(insn(0));
    }
    code.push_back(leave());
    EXPECT_EQ(examine(code).maps, (std::vector<std::uint32_t>{2, 3, 7}));
}

TEST(Examine, TakesNoConstantForAnInstruction) {
    // The second half of a constant may look like anything, its code is zero only by convention.
    const Program code{insn(kWide, BPF_REG_1, 0, 0, 1), insn(kCallCode, 0, 0, 0, BPF_FUNC_tail_call),
                       set(BPF_REG_0, 1), leave()};
    EXPECT_FALSE(examine(code).tailCalls);
}

TEST(Examine, SuspectsWhatMayTouchSkbCb) {
    const auto load = [](std::size_t offset) {
        return Program{
            insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_1, static_cast<std::int16_t>(offset)),
            leave()};
    };
    const auto first = offsetof(__sk_buff, cb);
    for (const std::size_t offset : {first, first + 3, first + 16, first + 19}) {
        EXPECT_TRUE(examine(load(offset)).readsCb) << offset;
        EXPECT_FALSE(examine(load(offset)).writesCb) << offset;
    }
    for (const std::size_t offset : {offsetof(__sk_buff, len), first + 20, first - 4})
        EXPECT_FALSE(examine(load(offset)).readsCb) << offset;
    EXPECT_TRUE(examine(filter(0, 1)).writesCb);
    EXPECT_TRUE(examine(Program{insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_1, 0, first, 1), leave()}).writesCb);
    const Program tail{insn(kCallCode, 0, 0, 0, BPF_FUNC_tail_call), leave()};
    EXPECT_TRUE(examine(tail).readsCb && examine(tail).writesCb) << "what it calls may";
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

TEST(Examine, SeesTailCallsKernelFunctionsAndModules) {
    EXPECT_TRUE(examine(Program{insn(kCallCode, 0, 0, 0, BPF_FUNC_tail_call), leave()}).tailCalls);
    // A kernel function of the same number is no tail call.
    const Program kernel{insn(kCallCode, 0, BPF_PSEUDO_KFUNC_CALL, 0, BPF_FUNC_tail_call), leave()};
    EXPECT_FALSE(examine(kernel).tailCalls);
    EXPECT_EQ(examine(kernel).kernelCalls, std::vector<std::int32_t>{BPF_FUNC_tail_call});
    EXPECT_FALSE(examine(kernel).refersToModules);
    const Program module{insn(kCallCode, 0, BPF_PSEUDO_KFUNC_CALL, 3, 9), leave()};
    EXPECT_TRUE(examine(module).refersToModules);
    const Program variable{insn(kWide, BPF_REG_1, BPF_PSEUDO_BTF_ID, 0, 9), insn(0, 0, 0, 0, 4), leave()};
    EXPECT_TRUE(examine(variable).refersToModules);
}

} // namespace
} // namespace filterd::test
