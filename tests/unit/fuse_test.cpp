// The fuser by what its programs do: an interpreter runs them beside a model of the queue.

#include "core/fuse.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

namespace filterd {
namespace {

using Program = std::vector<bpf_insn>;

constexpr std::uint8_t kWide = BPF_LD | BPF_DW | BPF_IMM;
constexpr std::uint8_t kCallCode = BPF_JMP | BPF_CALL;
constexpr std::int32_t kLogHelper = BPF_FUNC_ktime_get_ns; // stands for "filter r1 runs"

constexpr std::uint32_t kCounters = 0;
constexpr std::uint32_t kStubs = 1;
constexpr std::uint32_t kGate = 2;
constexpr std::uint32_t kFirstFree = 3;

bpf_insn insn(std::uint8_t code, std::uint8_t target = 0, std::uint8_t source = 0, std::int16_t offset = 0,
              std::int32_t immediate = 0) {
    bpf_insn result{};
    result.code = code;
    result.dst_reg = target & 0xf;
    result.src_reg = source & 0xf;
    result.off = offset;
    result.imm = immediate;
    return result;
}

bpf_insn set(std::uint8_t target, std::int32_t value) {
    return insn(BPF_ALU64 | BPF_MOV | BPF_K, target, 0, 0, value);
}
bpf_insn leave() { return insn(BPF_JMP | BPF_EXIT); }

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

// ---- the interpreter ------------------------------------------------------------------------------------

struct Outcome {
    std::uint64_t verdict = 0;
    bool atGate = false;
    std::vector<std::int32_t> ran;
    bool sawForeignCb = false;
    std::array<std::uint64_t, kCounterWords> counts{};
    std::array<std::uint32_t, 5> cb{};
};

class Machine {
  public:
    explicit Machine(const FusedProgram& program) : program_(program) {}

    std::map<std::uint64_t, std::pair<std::int32_t, std::uint64_t>> stubs; // index: filter, verdict
    bool gateIsThere = true;
    std::uint32_t gateWord = 0;

    Outcome run() {
        outcome_ = {};
        outcome_.cb[4] = gateWord;
        registers_ = {};
        registers_[1] = kContextBase;
        outcome_.verdict = call(0);
        return outcome_;
    }

  private:
    static constexpr std::uint64_t kContextBase = 0x10000;
    static constexpr std::uint64_t kStorageBase = 0x20000;
    static constexpr std::uint64_t kMapBase = 0x30000;
    static constexpr std::uint64_t kRubbish = 0xdeadbeefdeadbeef;

    void* at(std::uint64_t address, std::size_t size) {
        const auto cb = kContextBase + offsetof(__sk_buff, cb);
        if (address >= cb && address + size <= cb + sizeof outcome_.cb)
            return reinterpret_cast<char*>(outcome_.cb.data()) + (address - cb);
        if (address >= kStorageBase && address + size <= kStorageBase + sizeof outcome_.counts)
            return reinterpret_cast<char*>(outcome_.counts.data()) + (address - kStorageBase);
        throw std::runtime_error("memory access out of bounds");
    }

    static std::size_t sizeOf(std::uint8_t code) {
        switch (BPF_SIZE(code)) {
        case BPF_W:
            return 4;
        case BPF_DW:
            return 8;
        default:
            throw std::runtime_error("size that no fused program uses");
        }
    }

    // False: the frame has ended.
    bool helper(std::int32_t number) {
        if (number == kLogHelper) {
            outcome_.ran.push_back(static_cast<std::int32_t>(registers_[1]));
            outcome_.sawForeignCb |= outcome_.cb != std::array<std::uint32_t, 5>{};
        } else if (number == BPF_FUNC_get_local_storage) {
            if (registers_[1] != kMapBase + kCounters)
                throw std::runtime_error("storage of another map");
            registers_[0] = kStorageBase;
        } else if (number == BPF_FUNC_tail_call) {
            return tailCall();
        } else {
            throw std::runtime_error("unknown helper");
        }
        for (std::size_t i = 1; i <= 5; ++i)
            registers_[i] = kRubbish;
        return true;
    }

    bool tailCall() {
        if (registers_[1] != kContextBase)
            throw std::runtime_error("tail call without the context");
        if (registers_[2] == kMapBase + kGate && registers_[3] == kGateSlot && gateIsThere) {
            outcome_.atGate = true;
            return false;
        }
        const auto stub = registers_[2] == kMapBase + kStubs ? stubs.find(registers_[3]) : stubs.end();
        if (stub == stubs.end()) {
            registers_[0] = kRubbish;
            return true;
        }
        outcome_.ran.push_back(stub->second.first);
        outcome_.sawForeignCb |= outcome_.cb != std::array<std::uint32_t, 5>{};
        outcome_.cb.fill(~0U);
        registers_[0] = stub->second.second;
        return false;
    }

    void compute(const bpf_insn& i) {
        auto& target = registers_[i.dst_reg];
        const auto value = BPF_SRC(i.code) == BPF_X
                               ? registers_[i.src_reg]
                               : static_cast<std::uint64_t>(static_cast<std::int64_t>(i.imm));
        switch (BPF_OP(i.code)) {
        case BPF_MOV:
            target = value;
            break;
        case BPF_ADD:
            target += value;
            break;
        case BPF_AND:
            target &= value;
            break;
        case BPF_OR:
            target |= value;
            break;
        case BPF_LSH:
            target <<= value;
            break;
        case BPF_RSH:
            target >>= value;
            break;
        default:
            throw std::runtime_error("operation that no fused program uses");
        }
    }

    std::uint64_t call(std::size_t at) {
        const std::array saved{registers_[6], registers_[7], registers_[8], registers_[9]};
        const auto result = frame(at);
        std::copy(saved.begin(), saved.end(), registers_.begin() + 6);
        for (std::size_t i = 1; i <= 5; ++i)
            registers_[i] = kRubbish;
        return result;
    }

    void step(const bpf_insn& i, std::size_t& pc) {
        switch (BPF_CLASS(i.code)) {
        case BPF_ALU64:
            compute(i);
            break;
        case BPF_LD:
            registers_[i.dst_reg] = kMapBase + static_cast<std::uint64_t>(i.imm);
            ++pc;
            break;
        case BPF_LDX:
            registers_[i.dst_reg] = 0;
            std::memcpy(&registers_[i.dst_reg],
                        at(registers_[i.src_reg] + static_cast<std::uint64_t>(i.off), sizeOf(i.code)),
                        sizeOf(i.code));
            break;
        case BPF_STX:
            std::memcpy(at(registers_[i.dst_reg] + static_cast<std::uint64_t>(i.off), sizeOf(i.code)),
                        &registers_[i.src_reg], sizeOf(i.code));
            break;
        default:
            throw std::runtime_error("class that no fused program uses");
        }
    }

    std::uint64_t frame(std::size_t pc) {
        for (;; ++pc) {
            const bpf_insn& i = program_.instructions.at(pc);
            if (BPF_CLASS(i.code) != BPF_JMP) {
                step(i, pc);
            } else if (i.code == (BPF_JMP | BPF_EXIT)) {
                return registers_[0];
            } else if (i.code == kCallCode && i.src_reg == BPF_PSEUDO_CALL) {
                registers_[0] = call(static_cast<std::size_t>(static_cast<std::int64_t>(pc) + 1 + i.imm));
            } else if (i.code == kCallCode) {
                if (!helper(i.imm))
                    return registers_[0];
            } else if (BPF_OP(i.code) == BPF_JA ||
                       (BPF_OP(i.code) == BPF_JEQ &&
                        registers_[i.dst_reg] == static_cast<std::uint64_t>(i.imm))) {
                pc = static_cast<std::size_t>(static_cast<std::int64_t>(pc) + i.off);
            } else if (BPF_OP(i.code) != BPF_JEQ) {
                throw std::runtime_error("jump that no fused program uses");
            }
        }
    }

    const FusedProgram& program_;
    std::array<std::uint64_t, 11> registers_{};
    Outcome outcome_;
};

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
} // namespace filterd
