// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/cbpf.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <limits>
#include <optional>
#include <string>

namespace filterd::packet {

namespace {

constexpr std::size_t kMemoryWords = BPF_MEMWORDS;
constexpr std::size_t kMaxLength = 65536;
constexpr std::uint32_t kDeviceOffsets = 0xfffff000; // the kernel's extensions of libpcap

// Slots of what a program keeps: A, X and the scratch words.
constexpr std::size_t kA = 0;
constexpr std::size_t kX = 1;
constexpr std::size_t kFirstWord = 2;
constexpr std::size_t kSlots = kFirstWord + kMemoryWords;
using Live = std::bitset<kSlots>;
using State = std::array<ExprId, kSlots>;

std::uint8_t sizeOf(std::uint16_t code) {
    switch (BPF_SIZE(code)) {
    case BPF_W:
        return 4;
    case BPF_H:
        return 2;
    default:
        return 1;
    }
}

bool usesX(std::uint16_t code) { return BPF_SRC(code) == BPF_X; }
bool isLoad(std::uint16_t code) { return BPF_CLASS(code) == BPF_LD || BPF_CLASS(code) == BPF_LDX; }
bool isScratch(const sock_filter& insn) {
    return (isLoad(insn.code) && BPF_MODE(insn.code) == BPF_MEM) || BPF_CLASS(insn.code) == BPF_ST ||
           BPF_CLASS(insn.code) == BPF_STX;
}

std::optional<Op> operation(std::uint16_t code) {
    switch (BPF_OP(code)) {
    case BPF_ADD:
        return Op::Add;
    case BPF_SUB:
        return Op::Subtract;
    case BPF_MUL:
        return Op::Multiply;
    case BPF_DIV:
        return Op::Divide;
    case BPF_MOD:
        return Op::Modulo;
    case BPF_AND:
        return Op::And;
    case BPF_OR:
        return Op::Or;
    case BPF_XOR:
        return Op::Xor;
    case BPF_LSH:
        return Op::ShiftLeft;
    case BPF_RSH:
        return Op::ShiftRight;
    default:
        return std::nullopt;
    }
}

bool isKnownLoad(std::uint16_t code) {
    const bool isOfX = BPF_CLASS(code) == BPF_LDX;
    switch (BPF_MODE(code)) {
    case BPF_ABS:
    case BPF_IND:
        return !isOfX && (BPF_SIZE(code) == BPF_W || BPF_SIZE(code) == BPF_H || BPF_SIZE(code) == BPF_B);
    case BPF_MSH:
        return isOfX && BPF_SIZE(code) == BPF_B;
    case BPF_IMM:
    case BPF_MEM:
    case BPF_LEN:
        return BPF_SIZE(code) == BPF_W;
    default:
        return false;
    }
}

bool isKnownJump(std::uint16_t code) {
    switch (BPF_OP(code)) {
    case BPF_JA:
        return !usesX(code);
    case BPF_JEQ:
    case BPF_JGT:
    case BPF_JGE:
    case BPF_JSET:
        return true;
    default:
        return false;
    }
}

// Whether bpf_filter() knows the instruction: at any other it ends the process.
bool isKnown(std::uint16_t code) {
    if (code > std::numeric_limits<std::uint8_t>::max())
        return false;
    switch (BPF_CLASS(code)) {
    case BPF_LD:
    case BPF_LDX:
        return isKnownLoad(code);
    case BPF_ALU:
        return operation(code) || code == (BPF_ALU | BPF_NEG);
    case BPF_JMP:
        return isKnownJump(code);
    case BPF_RET:
        return code == (BPF_RET | BPF_K) || code == (BPF_RET | BPF_A);
    case BPF_MISC:
        return code == (BPF_MISC | BPF_TAX) || code == (BPF_MISC | BPF_TXA);
    default: // ST, STX
        return code == BPF_CLASS(code);
    }
}

Comparison comparison(std::uint16_t code) {
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return Comparison::Equal;
    case BPF_JGE:
        return Comparison::AtLeast;
    case BPF_JGT:
        return Comparison::Greater;
    default: // JSET
        return Comparison::AnyBitOf;
    }
}

// Where an instruction leads to: on to another one, or to an end.
struct Target {
    Target() = default;
    Target(NodeId theEnd) : end(theEnd) {}
    Target(std::size_t where, const State& how) : at(where), state(how) {}

    std::size_t at = 0;
    State state{};
    std::optional<NodeId> end;
};

// A question and its two ways; no subject: there is only the first.
struct Step {
    Step() = default;
    Step(const Target& only) : inside(only) {}
    Step(ExprId asked, Range within, const Target& yes, const Target& no)
        : subject(asked), range(within), inside(yes), outside(no) {}

    ExprId subject = kNoExpr;
    Range range;
    Target inside;
    Target outside;
};

// All jumps lead forward: the states in which each instruction is met are found from the first on, what they
// come to from the last on.
class CbpfReader {
  public:
    CbpfReader(std::span<const sock_filter> program, Expressions& expressions, Decisions& decisions)
        : program_(program), expressions_(expressions), decisions_(decisions) {}

    Result<NodeId> read() {
        if (auto checked = check(); !checked)
            return failure(checked.error());
        findLive();
        State start{};
        start.fill(expressions_.constant(0));
        return visitAll({0, start});
    }

  private:
    struct Visit {
        Step step;
        NodeId node;
    };

    Status check() const;
    Status checkOne(std::size_t at) const;
    void findLive();
    Live liveBefore(std::size_t at) const;
    NodeId visitAll(Target first);
    void meet(Target& target);
    NodeId nodeOf(const Target& target) const;
    Step step(std::size_t at, State state);
    Step load(std::size_t at, State& state);
    Step loadBytes(std::size_t at, State& state, std::size_t slot);
    Step calculate(std::size_t at, State& state);
    Step jump(std::size_t at, const State& state);
    Step finish(const sock_filter& insn, const State& state);
    ExprId operand(const sock_filter& insn, const State& state) {
        return usesX(insn.code) ? state[kX] : expressions_.constant(insn.k);
    }

    std::span<const sock_filter> program_;
    Expressions& expressions_;
    Decisions& decisions_;
    std::vector<Live> live_; // what is read later, before each instruction
    std::vector<std::map<State, Visit>> visits_;
};

Step onTo(std::size_t at, const State& state) { return Target(at, state); }
Step endAt(NodeId end) { return Target(end); }

Status CbpfReader::check() const {
    if (program_.empty() || program_.size() > kMaxLength)
        return failure(ErrorCode::InvalidArgument, "a program of " + std::to_string(program_.size()) +
                                                       " instructions; 1 to " + std::to_string(kMaxLength) +
                                                       " can be used");
    for (std::size_t at = 0; at < program_.size(); ++at)
        if (auto checked = checkOne(at); !checked)
            return checked;
    if (BPF_CLASS(program_.back().code) != BPF_RET)
        return failure(ErrorCode::InvalidArgument, "the program does not end");
    return {};
}

Status CbpfReader::checkOne(std::size_t at) const {
    const auto& insn = program_[at];
    if (!isKnown(insn.code))
        return failure(ErrorCode::InvalidArgument, "the program has an unknown instruction");
    if (isScratch(insn) && insn.k >= kMemoryWords)
        return failure(ErrorCode::InvalidArgument, "the program uses a scratch word that does not exist");
    if (isLoad(insn.code) && BPF_MODE(insn.code) == BPF_ABS && insn.k >= kDeviceOffsets)
        return failure(ErrorCode::Unsupported,
                       "it asks for what only a capture device knows (inbound, "
                       "outbound, ifname, vlan): leave that to the queue's direction");
    if (BPF_CLASS(insn.code) != BPF_JMP)
        return {};
    const bool always = BPF_OP(insn.code) == BPF_JA;
    const std::uint64_t furthest = at + 1 + (always ? std::uint64_t{insn.k} : std::max(insn.jt, insn.jf));
    if (always && static_cast<std::int32_t>(insn.k) < 0)
        return failure(ErrorCode::Unsupported,
                       "it needs a loop, as protochain does: name the headers one by one");
    if (furthest >= program_.size())
        return failure(ErrorCode::InvalidArgument, "the program jumps beyond its end");
    return {};
}

// All jumps lead forward.
void CbpfReader::findLive() {
    live_.assign(program_.size() + 1, {});
    for (std::size_t at = program_.size(); at-- > 0;)
        live_[at] = liveBefore(at);
}

Live CbpfReader::liveBefore(std::size_t at) const {
    const auto& insn = program_[at];
    Live live = live_[at + 1];
    switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
    case BPF_LDX:
        live.reset(BPF_CLASS(insn.code) == BPF_LD ? kA : kX);
        if (BPF_MODE(insn.code) == BPF_IND)
            live.set(kX);
        if (BPF_MODE(insn.code) == BPF_MEM)
            live.set(kFirstWord + insn.k);
        return live;
    case BPF_ST:
    case BPF_STX:
        live.reset(kFirstWord + insn.k);
        live.set(BPF_CLASS(insn.code) == BPF_ST ? kA : kX);
        return live;
    case BPF_ALU:
        live.set(kA);
        if (usesX(insn.code))
            live.set(kX);
        return live;
    case BPF_JMP:
        if (BPF_OP(insn.code) == BPF_JA)
            return live_[at + 1 + insn.k];
        live = live_[at + 1 + insn.jt] | live_[at + 1 + insn.jf];
        live.set(kA);
        if (usesX(insn.code))
            live.set(kX);
        return live;
    case BPF_RET:
        return BPF_RVAL(insn.code) == BPF_A ? Live(1U << kA) : Live();
    default: { // TAX, TXA
        const bool toX = BPF_MISCOP(insn.code) == BPF_TAX;
        live.reset(toX ? kX : kA);
        live.set(toX ? kA : kX);
        return live;
    }
    }
}

NodeId CbpfReader::visitAll(Target first) {
    visits_.resize(program_.size());
    meet(first);
    for (std::size_t at = 0; at < program_.size(); ++at)
        for (auto& [state, visit] : visits_[at]) {
            visit.step = step(at, state);
            meet(visit.step.inside);
            if (visit.step.subject != kNoExpr)
                meet(visit.step.outside);
        }
    for (std::size_t at = program_.size(); at-- > 0;)
        for (auto& [state, visit] : visits_[at]) {
            const Step& step = visit.step;
            const NodeId inside = nodeOf(step.inside);
            visit.node = step.subject == kNoExpr
                             ? inside
                             : decisions_.ask({step.subject, step.range, inside, nodeOf(step.outside)});
        }
    return nodeOf(first);
}

// What is not read any more must not tell two visits apart.
void CbpfReader::meet(Target& target) {
    if (target.end)
        return;
    for (std::size_t slot = 0; slot < kSlots; ++slot)
        if (!live_[target.at].test(slot))
            target.state[slot] = kNoExpr;
    visits_[target.at].try_emplace(target.state);
}

NodeId CbpfReader::nodeOf(const Target& target) const {
    return target.end ? *target.end : visits_[target.at].at(target.state).node;
}

Step CbpfReader::step(std::size_t at, State state) {
    const auto& insn = program_[at];
    switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
    case BPF_LDX:
        return load(at, state);
    case BPF_ST:
        state[kFirstWord + insn.k] = state[kA];
        break;
    case BPF_STX:
        state[kFirstWord + insn.k] = state[kX];
        break;
    case BPF_ALU:
        return calculate(at, state);
    case BPF_JMP:
        return jump(at, state);
    case BPF_RET:
        return finish(insn, state);
    default:
        if (BPF_MISCOP(insn.code) == BPF_TAX)
            state[kX] = state[kA];
        else
            state[kA] = state[kX];
    }
    return onTo(at + 1, state);
}

Step CbpfReader::load(std::size_t at, State& state) {
    const auto& insn = program_[at];
    const std::size_t slot = BPF_CLASS(insn.code) == BPF_LD ? kA : kX;
    switch (BPF_MODE(insn.code)) {
    case BPF_IMM:
        state[slot] = expressions_.constant(insn.k);
        break;
    case BPF_MEM:
        state[slot] = state[kFirstWord + insn.k];
        break;
    case BPF_LEN:
        state[slot] = expressions_.length();
        break;
    default:
        return loadBytes(at, state, slot);
    }
    return onTo(at + 1, state);
}

Step CbpfReader::loadBytes(std::size_t at, State& state, std::size_t slot) {
    const auto& insn = program_[at];
    const std::uint8_t size = sizeOf(insn.code);
    const ExprId base = BPF_MODE(insn.code) == BPF_IND ? state[kX] : kNoExpr;
    const ExprId fits = expressions_.fits(size, base, insn.k);
    if (expressions_.isConstant(fits))
        return endAt(kNoMatch); // beyond whatever a packet can have
    ExprId value = expressions_.load(size, base, insn.k);
    if (BPF_MODE(insn.code) == BPF_MSH) // the length of an IPv4 header
        value = expressions_.binary(Op::ShiftLeft,
                                    expressions_.binary(Op::And, value, expressions_.constant(0xf)),
                                    expressions_.constant(2));
    state[slot] = value;
    return {fits, {1, kMaxValue}, {at + 1, state}, kNoMatch};
}

Step CbpfReader::calculate(std::size_t at, State& state) {
    const auto& insn = program_[at];
    if (BPF_OP(insn.code) == BPF_NEG) {
        state[kA] = expressions_.binary(Op::Subtract, expressions_.constant(0), state[kA]);
        return onTo(at + 1, state);
    }
    const Op op = *operation(insn.code);
    const ExprId right = operand(insn, state);
    const bool divides = op == Op::Divide || op == Op::Modulo;
    if (divides && expressions_.isConstant(right) && expressions_.valueOf(right) == 0)
        return endAt(kNoMatch);
    state[kA] = expressions_.binary(op, state[kA], right);
    if (!divides || expressions_.isConstant(right))
        return onTo(at + 1, state);
    return {right, {0, 0}, kNoMatch, {at + 1, state}};
}

Step CbpfReader::jump(std::size_t at, const State& state) {
    const auto& insn = program_[at];
    if (BPF_OP(insn.code) == BPF_JA)
        return onTo(at + 1 + insn.k, state);
    const Condition asked = expressions_.compare(comparison(insn.code), state[kA], operand(insn, state));
    const Target yes{at + 1 + insn.jt, state};
    const Target no{at + 1 + insn.jf, state};
    if (expressions_.isConstant(asked.subject))
        return asked.range.contains(expressions_.valueOf(asked.subject)) ? yes : no;
    return {asked.subject, asked.range, yes, no};
}

Step CbpfReader::finish(const sock_filter& insn, const State& state) {
    if (BPF_RVAL(insn.code) != BPF_A)
        return endAt(insn.k == 0 ? kNoMatch : kMatch);
    if (expressions_.isConstant(state[kA]))
        return endAt(expressions_.valueOf(state[kA]) == 0 ? kNoMatch : kMatch);
    return {state[kA], {0, 0}, kNoMatch, kMatch};
}

} // namespace

Result<NodeId> readCbpf(std::span<const sock_filter> program, Expressions& expressions,
                        Decisions& decisions) {
    return CbpfReader(program, expressions, decisions).read();
}

} // namespace filterd::packet
