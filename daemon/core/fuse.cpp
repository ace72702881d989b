#include "core/fuse.hpp"

#include <algorithm>
#include <string>

namespace filterd {

namespace {

constexpr std::uint8_t kLoadWide = BPF_LD | BPF_DW | BPF_IMM; // takes two instructions
constexpr std::uint8_t kCall = BPF_JMP | BPF_CALL;
constexpr std::uint8_t kMove = BPF_ALU64 | BPF_MOV;

constexpr std::int16_t kCb = offsetof(__sk_buff, cb);
constexpr std::int16_t kGateWord = kCb + 4 * sizeof(__u32);

// What the dispatcher keeps over its calls.
constexpr std::uint8_t kContext = BPF_REG_6;
constexpr std::uint8_t kVerdicts = BPF_REG_7; // all return values ORed
constexpr std::uint8_t kScratch = BPF_REG_8;  // attached: offset of a counter; interim: the gate's word

bpf_insn instruction(std::uint8_t code, std::uint8_t target, std::uint8_t source, std::int16_t offset,
                     std::int32_t immediate) {
    bpf_insn result{};
    result.code = code;
    result.dst_reg = target & 0xf;
    result.src_reg = source & 0xf;
    result.off = offset;
    result.imm = immediate;
    return result;
}

bool isLoadWide(const bpf_insn& insn) { return insn.code == kLoadWide; }

bool isMapReference(const bpf_insn& insn) {
    return isLoadWide(insn) && (insn.src_reg == BPF_PSEUDO_MAP_FD || insn.src_reg == BPF_PSEUDO_MAP_VALUE);
}

// Calls visit(index, instruction) for every instruction; the second halves of wide loads are not
// instructions.
template<typename Visitor>
void forEach(InstructionView filter, Visitor visit) {
    for (std::size_t i = 0; i < filter.size(); i += isLoadWide(filter[i]) ? 2 : 1)
        visit(i, filter[i]);
}

// Where the filter's own functions begin, without its entry; callbacks included.
std::vector<std::uint32_t> functionStarts(InstructionView filter) {
    std::vector<std::uint32_t> starts;
    forEach(filter, [&](std::size_t index, const bpf_insn& insn) {
        const bool calls = insn.code == kCall && insn.src_reg == BPF_PSEUDO_CALL;
        const bool takesAddress = isLoadWide(insn) && insn.src_reg == BPF_PSEUDO_FUNC;
        const auto target = static_cast<std::int64_t>(index) + insn.imm + 1;
        if ((calls || takesAddress) && target > 0 && target < static_cast<std::int64_t>(filter.size()))
            starts.push_back(static_cast<std::uint32_t>(target));
    });
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    return starts;
}

// Verbatim but for the maps: every other reference in it is relative.
Status append(std::vector<bpf_insn>& program, InstructionView block, const std::vector<std::uint32_t>& maps) {
    for (std::size_t i = 0; i < block.size(); ++i) {
        bpf_insn insn = block[i];
        if (isMapReference(insn)) {
            const auto map = static_cast<std::size_t>(insn.imm);
            if (insn.imm < 0 || map >= maps.size())
                return failure(ErrorCode::InvalidObject,
                               "instruction " + std::to_string(i) + " refers to a map that is not there");
            insn.src_reg =
                (insn.src_reg == BPF_PSEUDO_MAP_FD ? BPF_PSEUDO_MAP_IDX : BPF_PSEUDO_MAP_IDX_VALUE) & 0xf;
            insn.imm = static_cast<std::int32_t>(maps[map]);
        }
        program.push_back(insn);
        if (isLoadWide(insn) && ++i < block.size())
            program.push_back(block[i]);
    }
    return {};
}

// A filter reaches skb->cb only by its offset in the context, which the verifier lets nobody change. Other
// structures may have something at the same offset: then a filter is suspected in vain.
bool touchesCb(const bpf_insn& insn) {
    constexpr int kCbEnd = kCb + 5 * sizeof(__u32);
    const int size = BPF_SIZE(insn.code) == BPF_DW  ? 8
                     : BPF_SIZE(insn.code) == BPF_W ? 4
                     : BPF_SIZE(insn.code) == BPF_H ? 2
                                                    : 1;
    return insn.off + size > kCb && insn.off < kCbEnd;
}

class Builder {
  public:
    explicit Builder(const FuseInput& input) : input_(input) {}

    Result<FusedProgram> build() {
        program_.functions.push_back({0, true});
        if (input_.hold) {
            holdAll();
            return std::move(program_);
        }
        enter();
        callFilters();
        pass();
        drop();
        if (auto placed = placeParts(); !placed)
            return failure(placed.error());
        return std::move(program_);
    }

  private:
    std::size_t here() const { return program_.instructions.size(); }

    void emit(std::uint8_t code, std::uint8_t target, std::uint8_t source = 0, std::int16_t offset = 0,
              std::int32_t immediate = 0) {
        program_.instructions.push_back(instruction(code, target, source, offset, immediate));
    }
    void move(std::uint8_t target, std::uint8_t source) { emit(kMove | BPF_X, target, source); }
    void set(std::uint8_t target, std::int32_t value) { emit(kMove | BPF_K, target, 0, 0, value); }
    void compute(std::uint8_t operation, std::uint8_t target, std::int32_t value) {
        emit(BPF_ALU64 | BPF_K | operation, target, 0, 0, value);
    }
    void merge(std::uint8_t target, std::uint8_t source) { emit(BPF_ALU64 | BPF_X | BPF_OR, target, source); }
    void load(std::uint8_t size, std::uint8_t target, std::uint8_t base, std::int16_t offset) {
        emit(BPF_LDX | BPF_MEM | size, target, base, offset);
    }
    // Not BPF_ST: kernels before 6.4 refuse it on the context.
    void store(std::uint8_t size, std::uint8_t base, std::int16_t offset, std::uint8_t source) {
        emit(BPF_STX | BPF_MEM | size, base, source, offset);
    }
    void loadMap(std::uint8_t target, std::uint32_t index) {
        emit(kLoadWide, target, BPF_PSEUDO_MAP_IDX, 0, static_cast<std::int32_t>(index));
        emit(0, 0);
    }
    void callHelper(std::int32_t helper) { emit(kCall, 0, 0, 0, helper); }
    void exit() { emit(BPF_JMP | BPF_EXIT, 0); }

    std::size_t jump(std::uint8_t operation, std::uint8_t target = 0) {
        emit(BPF_JMP | BPF_K | operation, target);
        return here() - 1;
    }
    void land(std::size_t from) {
        program_.instructions[from].off = static_cast<std::int16_t>(here() - from - 1);
    }

    void enter() {
        move(kContext, BPF_REG_1);
        if (input_.congestion)
            set(kVerdicts, 0);
        if (input_.gateArray)
            load(BPF_W, kScratch, kContext, kGateWord);
    }

    // Every filter finds cb as it would alone: the kernel clears it before the first, the dispatcher before
    // those that look at it when another may have written it. In the gate's run it holds the gate's word even
    // before the first.
    void clearCb() {
        set(BPF_REG_1, 0);
        store(BPF_DW, kContext, kCb, BPF_REG_1);
        store(BPF_DW, kContext, kCb + 8, BPF_REG_1);
        store(BPF_W, kContext, kGateWord, BPF_REG_1);
    }

    void callFilters() {
        bool foreignCb = input_.gateArray.has_value();
        for (const std::size_t part : input_.order) {
            const bool clears = foreignCb && input_.parts[part].readsCb;
            if (clears)
                clearCb();
            foreignCb = (foreignCb && !clears) || input_.parts[part].writesCb;
            move(BPF_REG_1, kContext);
            calls_.push_back({here(), part});
            emit(kCall, 0, BPF_PSEUDO_CALL);
            if (input_.congestion) {
                merge(kVerdicts, BPF_REG_0);
                compute(BPF_AND, BPF_REG_0, 1);
            }
            drops_.push_back({jump(BPF_JEQ, BPF_REG_0), part});
        }
    }

    // Without atomics: a packet that interrupts another's add costs one count, an atomic costs every packet.
    void countAt(std::optional<std::uint8_t> offsetRegister) {
        loadMap(BPF_REG_1, *input_.counterMap);
        set(BPF_REG_2, 0);
        callHelper(BPF_FUNC_get_local_storage);
        if (offsetRegister)
            emit(BPF_ALU64 | BPF_X | BPF_ADD, BPF_REG_0, *offsetRegister);
        load(BPF_DW, BPF_REG_1, BPF_REG_0, 0);
        compute(BPF_ADD, BPF_REG_1, 1);
        store(BPF_DW, BPF_REG_0, 0, BPF_REG_1);
    }

    void pass() {
        if (input_.counterMap)
            countAt(std::nullopt);
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
        store(BPF_W, kContext, kGateWord, kScratch);
        tailCall(*input_.gateArray, kGateSlot, kContext);
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
        if (input_.counterMap) {
            set(kScratch, kHeldSlot * sizeof(std::uint64_t));
            countAt(kScratch);
        }
        set(BPF_REG_0, 0);
        exit();
    }

    void drop() {
        if (drops_.empty())
            return;
        if (input_.counterMap)
            countDrops();
        for (const auto& site : drops_)
            if (!isCounted(site.part))
                land(site.instruction);
        dropVerdict();
    }

    // One entry per counter, all of them into one add. Drops that have no counter jump past it.
    void countDrops() {
        std::vector<std::size_t> toAdd;
        for (std::uint32_t slot = kFirstFilterSlot; slot <= kLastFilterSlot; ++slot)
            if (landDropsOf(slot)) {
                set(kScratch, static_cast<std::int32_t>(slot * sizeof(std::uint64_t)));
                toAdd.push_back(jump(BPF_JA));
            }
        for (const std::size_t site : toAdd)
            land(site);
        if (!toAdd.empty())
            countAt(kScratch);
    }

    bool isCounted(std::size_t part) const {
        const auto slot = input_.parts[part].counterSlot;
        return input_.counterMap && slot >= kFirstFilterSlot && slot <= kLastFilterSlot;
    }

    bool landDropsOf(std::uint32_t slot) {
        bool any = false;
        for (const auto& site : drops_)
            if (input_.parts[site.part].counterSlot == slot) {
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
            const auto start = static_cast<std::uint32_t>(here());
            for (const auto& call : calls_)
                if (call.part == part)
                    program_.instructions[call.instruction].imm =
                        static_cast<std::int32_t>(start - call.instruction - 1);
            program_.functions.push_back({start, true});
            if (auto placed = placePart(input_.parts[part], start); !placed)
                return placed;
        }
        if (program_.functions.size() > kMaxFunctions)
            return failure(ErrorCode::LimitExceeded, "the queue has " +
                                                         std::to_string(program_.functions.size()) +
                                                         " functions; the kernel takes 256 in a program");
        return {};
    }

    Status placePart(const FusePart& part, std::uint32_t start) {
        if (part.block.empty()) {
            tailCall(*input_.stubArray, part.stubIndex, BPF_REG_1);
            return {};
        }
        for (const std::uint32_t function : functionStarts(part.block))
            program_.functions.push_back({start + function, false});
        return append(program_.instructions, part.block, part.maps);
    }

    struct Site {
        std::size_t instruction;
        std::size_t part;
    };

    const FuseInput& input_;
    FusedProgram program_;
    std::vector<Site> calls_;
    std::vector<Site> drops_;
};

} // namespace

Result<FusedProgram> fuse(const FuseInput& input) {
    if (input.order.size() > kMaxQueueLength)
        return failure(ErrorCode::LimitExceeded, "a queue of " + std::to_string(input.order.size()) +
                                                     " filters; filterd takes " +
                                                     std::to_string(kMaxQueueLength));
    for (const auto& part : input.parts)
        if (part.block.empty() && !input.stubArray)
            return failure(ErrorCode::Internal, "a stub without a program array");
    return Builder(input).build();
}

Result<FusedProgram> standalone(InstructionView filter, std::size_t mapCount) {
    std::vector<std::uint32_t> maps(mapCount);
    for (std::size_t i = 0; i < mapCount; ++i)
        maps[i] = static_cast<std::uint32_t>(i);
    FusedProgram program;
    program.functions.push_back({0, true});
    for (const std::uint32_t function : functionStarts(filter))
        program.functions.push_back({function, false});
    if (auto appended = append(program.instructions, filter, maps); !appended)
        return failure(appended.error());
    return program;
}

FilterTraits examine(InstructionView filter) {
    FilterTraits traits;
    traits.functions = 1 + functionStarts(filter).size();
    forEach(filter, [&](std::size_t index, const bpf_insn& insn) {
        if (isMapReference(insn))
            traits.maps.push_back(static_cast<std::uint32_t>(insn.imm));
        if (isLoadWide(insn) && insn.src_reg == BPF_PSEUDO_BTF_ID && index + 1 < filter.size())
            traits.refersToModules |= filter[index + 1].imm != 0;
        const auto kind = BPF_CLASS(insn.code);
        traits.readsCb |= (kind == BPF_LDX || kind == BPF_STX) && touchesCb(insn); // STX: atomics, too
        traits.writesCb |= (kind == BPF_ST || kind == BPF_STX) && touchesCb(insn);
        if (insn.code != kCall)
            return;
        traits.tailCalls |= insn.src_reg == 0 && insn.imm == BPF_FUNC_tail_call;
        if (insn.src_reg == BPF_PSEUDO_KFUNC_CALL) {
            traits.kernelCalls.push_back(insn.imm);
            traits.refersToModules |= insn.off != 0;
        }
    });
    traits.readsCb |= traits.tailCalls || !traits.kernelCalls.empty();
    traits.writesCb |= traits.tailCalls || !traits.kernelCalls.empty();
    std::sort(traits.maps.begin(), traits.maps.end());
    traits.maps.erase(std::unique(traits.maps.begin(), traits.maps.end()), traits.maps.end());
    return traits;
}

} // namespace filterd
