// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/ebpf/fuse.hpp"

#include "core/ebpf/filter_code.hpp"
#include "core/ebpf/fuse_code.hpp"

#include <algorithm>
#include <string>

namespace filterd {

namespace {

constexpr std::int16_t kGateWord = kCb + 4 * sizeof(__u32);
constexpr std::int16_t kDropSlot = kCb; // where a group tells it

// The jumps over them have 16 bits.
constexpr std::size_t kMaxInlinedInstructions = 19000;
static_assert(kMaxInlinedInstructions + 12 * kMaxQueueLength + 4 * kMaxFunctions < 32768);

// The registers that the dispatcher keeps over its calls.
constexpr std::uint8_t kQueueContext = BPF_REG_6;
constexpr std::uint8_t kVerdicts = BPF_REG_7; // all return values ORed
constexpr std::uint8_t kScratch = BPF_REG_8;  // after a drop: what countAt() takes; interim: the gate's word

constexpr int kSlotShift = 4;
static_assert(sizeof(SlotCount) == 1U << kSlotShift);

class Builder : private FuseCode {
  public:
    explicit Builder(const FuseInput& input) : input_(input) {}

    Result<FusedProgram> build() {
        program_.functions.push_back({0, FunctionKind::Filter});
        if (input_.hold) {
            holdAll();
        } else {
            chooseInlined();
            enter();
            if (auto placed = runFilters(); !placed)
                return failure(placed.error());
            pass();
            drop();
        }
        if (auto placed = placeParts(); !placed)
            return failure(placed.error());
        if (auto placed = placeReporter(); !placed)
            return failure(placed.error());
        if (program_.functions.size() > kMaxFunctions)
            return failure(ErrorCode::LimitExceeded, "the queue has " +
                                                         std::to_string(program_.functions.size()) +
                                                         " functions; the kernel takes 256 in a program");
        return std::move(program_);
    }

  private:
    void enter() {
        move(kQueueContext, BPF_REG_1);
        if (input_.congestion)
            set(kVerdicts, 0);
        if (input_.gateArray)
            load(BPF_W, kScratch, kQueueContext, kGateWord);
    }

    // Every filter finds cb as it would alone: the kernel clears it before the first, the dispatcher before
    // those that look at it when another may have written it. In the gate's run it holds the gate's word even
    // before the first.
    void clearCb() {
        set(BPF_REG_1, 0);
        store(BPF_DW, kQueueContext, kCb, BPF_REG_1);
        store(BPF_DW, kQueueContext, kCb + 8, BPF_REG_1);
        store(BPF_W, kQueueContext, kGateWord, BPF_REG_1);
    }

    // Returns the registers that a call preserves and the dispatcher does not need itself.
    std::vector<std::uint8_t> freeRegisters() const {
        std::vector<std::uint8_t> free{BPF_REG_9};
        if (!input_.gateArray)
            free.push_back(kScratch);
        if (!input_.congestion)
            free.push_back(kVerdicts);
        return free;
    }

    void chooseInlined() {
        inlined_.resize(input_.parts.size());
        if (!input_.inlines)
            return;
        const auto registers = freeRegisters();
        std::size_t room = kMaxInlinedInstructions;
        for (std::size_t part = 0; part < input_.parts.size(); ++part) {
            auto code = inlined(input_.parts[part].instructions, registers);
            const auto uses =
                static_cast<std::size_t>(std::count(input_.order.begin(), input_.order.end(), part));
            if (code.size() * uses > room)
                continue;
            room -= code.size() * uses;
            inlined_[part] = std::move(code);
        }
    }

    bool isInlined(std::size_t part) const { return !inlined_[part].empty(); }

    Status runFilters() {
        bool foreignCb = input_.gateArray.has_value();
        for (std::size_t step = 0; step < input_.order.size(); ++step) {
            const std::size_t part = input_.order[step];
            if (step == input_.loggedSteps)
                foreignCb = passLogged() || foreignCb;
            const bool clears = foreignCb && input_.parts[part].readsCb;
            if (clears)
                clearCb();
            foreignCb = (foreignCb && !clears) || input_.parts[part].writesCb;
            move(BPF_REG_1, kQueueContext);
            if (auto placed = runFilter(part); !placed)
                return placed;
            if (input_.congestion && input_.parts[part].congestion) {
                merge(kVerdicts, BPF_REG_0);
                compute(BPF_AND, BPF_REG_0, 1);
            }
            drops_.push_back({jump(BPF_JEQ, BPF_REG_0), part});
        }
        if (input_.loggedSteps >= input_.order.size())
            passLogged();
        return {};
    }

    // Tells the drops of the steps that only log, and goes on behind them. False: there are none.
    bool passLogged() {
        if (input_.loggedSteps == 0 || drops_.empty())
            return false;
        const auto over = jump(BPF_JA);
        tellDrops(input_.reporter ? input_.reporter->loggedFlags : 0);
        drops_.clear();
        land(over);
        return true;
    }

    Status runFilter(std::size_t part) {
        if (isInlined(part))
            return append(program_.instructions, inlined_[part], input_.parts[part].maps);
        calls_.push_back({here(), part});
        emit(kCall, 0, BPF_PSEUDO_CALL);
        return {};
    }

    // Without atomics: a packet that interrupts another's add costs one count, an atomic costs every packet.
    void countAt(std::optional<std::uint8_t> offsetRegister) {
        loadMap(BPF_REG_1, *input_.counterMap);
        set(BPF_REG_2, 0);
        callHelper(BPF_FUNC_get_local_storage);
        if (offsetRegister)
            emit(BPF_ALU64 | BPF_X | BPF_ADD, BPF_REG_0, *offsetRegister);
        load(BPF_DW, BPF_REG_1, BPF_REG_0, offsetof(SlotCount, packets));
        compute(BPF_ADD, BPF_REG_1, 1);
        store(BPF_DW, BPF_REG_0, offsetof(SlotCount, packets), BPF_REG_1);
        load(BPF_W, BPF_REG_1, kQueueContext, offsetof(__sk_buff, len));
        load(BPF_DW, BPF_REG_2, BPF_REG_0, offsetof(SlotCount, bytes));
        emit(BPF_ALU64 | BPF_X | BPF_ADD, BPF_REG_2, BPF_REG_1);
        store(BPF_DW, BPF_REG_0, offsetof(SlotCount, bytes), BPF_REG_2);
    }

    void pass() {
        if (input_.counterMap)
            countAt(std::nullopt);
        passVerdict();
    }

    void passVerdict() {
        if (input_.gateArray) {
            returnToGate();
            return;
        }
        if (input_.congestion) {
            move(BPF_REG_0, kVerdicts);
            compute(BPF_AND, BPF_REG_0, 2);
            compute(BPF_OR, BPF_REG_0, 1);
        } else {
            set(BPF_REG_0, 1);
        }
        exit();
    }

    void returnToGate() {
        if (input_.congestion) {
            static_assert(kGateCongestionBit == 2U << 15);
            compute(BPF_AND, kVerdicts, 2);
            compute(BPF_LSH, kVerdicts, 15);
            merge(kScratch, kVerdicts);
        }
        store(BPF_W, kQueueContext, kGateWord, kScratch);
        tailCall(*input_.gateArray, kGateSlot, kQueueContext);
    }

    // Drops the packet where the tail call fails (I1).
    void tailCall(std::uint32_t array, std::uint32_t slot, std::uint8_t context) {
        if (context != BPF_REG_1)
            move(BPF_REG_1, context);
        loadMap(BPF_REG_2, array);
        set(BPF_REG_3, static_cast<std::int32_t>(slot));
        callHelper(BPF_FUNC_tail_call);
        set(BPF_REG_0, 0);
        exit();
    }

    void holdAll() {
        move(kQueueContext, BPF_REG_1);
        if (input_.reporter) {
            set(BPF_REG_2, 0);
            report(input_.reporter->flags);
        }
        if (input_.counterMap) {
            set(kScratch, kHeldSlot << kSlotShift);
            countAt(kScratch);
        }
        set(BPF_REG_0, 0);
        exit();
    }

    // The program's id is in r2.
    void report(std::uint32_t flags) {
        move(BPF_REG_1, kQueueContext);
        set(BPF_REG_3, static_cast<std::int32_t>(flags));
        reportCalls_.push_back(here());
        emit(kCall, 0, BPF_PSEUDO_CALL);
    }

    void drop() {
        if (drops_.empty())
            return;
        tellDrops(input_.reporter ? input_.reporter->flags : 0);
        input_.logOnly ? passVerdict() : dropVerdict();
    }

    void tellDrops(std::uint32_t flags) {
        if (!input_.reporter && !input_.isGroup && !input_.counterMap) {
            for (const auto& site : drops_)
                land(site.instruction);
            return;
        }
        const auto ofGroups = landDropsOfGroups();
        const auto ofFilters = landDropsOfFilters();
        for (const std::size_t site : ofFilters)
            land(site);
        if (input_.reporter && !ofFilters.empty())
            report(flags);
        if (ofGroups)
            land(*ofGroups);
        if (input_.isGroup)
            store(BPF_W, kQueueContext, kDropSlot, kScratch);
        countDrop();
    }

    void countDrop() {
        if (!input_.counterMap)
            return;
        const auto uncounted = jump(BPF_JEQ, kScratch);
        countAt(kScratch);
        land(uncounted);
    }

    // Sets what the rest needs to know of each filter; returns the jumps to it.
    std::vector<std::size_t> landDropsOfFilters() {
        std::vector<std::size_t> jumps;
        for (std::size_t part = 0; part < input_.parts.size(); ++part) {
            if (input_.parts[part].group || !landDropsOf(part))
                continue;
            const auto slot = slotOf(input_.parts[part]);
            if (input_.isGroup || input_.counterMap)
                set(kScratch, static_cast<std::int32_t>(input_.isGroup ? slot : slot << kSlotShift));
            if (input_.reporter)
                set(BPF_REG_2, static_cast<std::int32_t>(input_.parts[part].programId));
            jumps.push_back(jump(BPF_JA));
        }
        return jumps;
    }

    // A group has reported by itself. Returns the jump behind that.
    std::optional<std::size_t> landDropsOfGroups() {
        bool any = false;
        for (std::size_t part = 0; part < input_.parts.size(); ++part)
            any |= input_.parts[part].group && landDropsOf(part);
        if (!any)
            return std::nullopt;
        static_assert(kLastFilterSlot == 63,
                      "one less than a power of two: the bound that the verifier sees");
        if (input_.counterMap) {
            load(BPF_W, kScratch, kQueueContext, kDropSlot);
            compute(BPF_AND, kScratch, kLastFilterSlot);
            compute(BPF_LSH, kScratch, kSlotShift);
        }
        return jump(BPF_JA);
    }

    static std::uint32_t slotOf(const FusePart& part) {
        return part.counterSlot <= kLastFilterSlot ? part.counterSlot : 0;
    }

    bool landDropsOf(std::size_t part) {
        bool any = false;
        for (const auto& site : drops_)
            if (site.part == part) {
                land(site.instruction);
                any = true;
            }
        return any;
    }

    // The congestion bits of the filters that ran, and of deeper cgroups that the gate has run before. The
    // mask comes last: to the verifier of 6.1, the OR of two registers can be anything.
    void dropVerdict() {
        const bool gateCongestion = input_.gateArray && input_.direction == Direction::Egress;
        if (input_.congestion)
            move(BPF_REG_0, kVerdicts);
        else
            set(BPF_REG_0, 0);
        if (gateCongestion) {
            compute(BPF_RSH, kScratch, 15);
            merge(BPF_REG_0, kScratch);
        }
        if (input_.congestion || gateCongestion)
            compute(BPF_AND, BPF_REG_0, 2);
        exit();
    }

    Status placeParts() {
        for (std::size_t part = 0; part < input_.parts.size(); ++part) {
            if (isInlined(part))
                continue;
            const auto start = static_cast<std::uint32_t>(here());
            for (const auto& call : calls_)
                if (call.part == part)
                    program_.instructions[call.instruction].imm =
                        static_cast<std::int32_t>(start - call.instruction - 1);
            program_.functions.push_back({start, FunctionKind::Filter});
            if (auto placed = placePart(input_.parts[part], start); !placed)
                return placed;
        }
        return {};
    }

    Status placeReporter() {
        if (reportCalls_.empty())
            return {};
        const auto start = static_cast<std::uint32_t>(here());
        for (const std::size_t call : reportCalls_)
            program_.instructions[call].imm = static_cast<std::int32_t>(start - call - 1);
        program_.functions.push_back({start, FunctionKind::Reporter});
        return append(program_.instructions, input_.reporter->instructions, input_.reporter->maps);
    }

    Status placePart(const FusePart& part, std::uint32_t start) {
        if (part.instructions.empty()) {
            tailCall(*input_.tailCallArray, part.tailCallIndex, BPF_REG_1);
            return {};
        }
        for (const std::uint32_t function : functionStarts(part.instructions))
            program_.functions.push_back({start + function, FunctionKind::Part});
        return append(program_.instructions, part.instructions, part.maps);
    }

    struct Site {
        std::size_t instruction;
        std::size_t part;
    };

    const FuseInput& input_;
    std::vector<std::vector<bpf_insn>> inlined_; // empty: the part is a function
    std::vector<Site> calls_;
    std::vector<Site> drops_;
    std::vector<std::size_t> reportCalls_;
};

} // namespace

Result<FusedProgram> fuse(const FuseInput& input) {
    if (input.order.size() > kMaxQueueLength)
        return failure(ErrorCode::LimitExceeded, "a queue of " + std::to_string(input.order.size()) +
                                                     " filters; filterd takes " +
                                                     std::to_string(kMaxQueueLength));
    for (const auto& part : input.parts)
        if (part.instructions.empty() && !input.tailCallArray)
            return failure(ErrorCode::Internal, "a tail call without a program array");
    return Builder(input).build();
}

} // namespace filterd
