#include "core/packet/classic.hpp"

#include <array>
#include <bitset>
#include <optional>
#include <string>

namespace filterd::packet {

namespace {

constexpr std::size_t kWords = BPF_MEMWORDS;
constexpr std::size_t kMaxLength = 8192;
constexpr std::uint32_t kDeviceOffsets = 0xfffff000; // the kernel's extensions of libpcap

// Slots of what a program keeps: A, X and the scratch words.
constexpr std::size_t kA = 0;
constexpr std::size_t kX = 1;
constexpr std::size_t kFirstWord = 2;
constexpr std::size_t kSlots = kFirstWord + kWords;
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

class Reader {
  public:
    Reader(std::span<const sock_filter> program, Expressions& expressions, Decisions& decisions)
        : program_(program), expressions_(expressions), decisions_(decisions) {}

    Result<NodeId> read() {
        if (auto checked = check(); !checked)
            return failure(checked.error());
        findLive();
        State start{};
        start.fill(expressions_.constant(0));
        return visit(0, start);
    }

  private:
    Status check() const;
    Status checkOne(std::size_t at) const;
    void findLive();
    Live liveBefore(std::size_t at) const;
    NodeId visit(std::size_t at, State state);
    NodeId step(std::size_t at, State& state);
    NodeId load(std::size_t at, State& state);
    NodeId loadBytes(std::size_t at, State& state, std::size_t slot);
    NodeId calculate(std::size_t at, State& state);
    NodeId jump(std::size_t at, const State& state);
    NodeId finish(const sock_filter& insn, const State& state);
    ExprId operand(const sock_filter& insn, const State& state) {
        return usesX(insn.code) ? state[kX] : expressions_.constant(insn.k);
    }

    std::span<const sock_filter> program_;
    Expressions& expressions_;
    Decisions& decisions_;
    std::vector<Live> live_; // what is read later, before each instruction
    std::map<std::pair<std::size_t, State>, NodeId> visited_;
};

Status Reader::check() const {
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

Status Reader::checkOne(std::size_t at) const {
    const auto& insn = program_[at];
    if (isScratch(insn) && insn.k >= kWords)
        return failure(ErrorCode::InvalidArgument, "the program uses a scratch word that does not exist");
    if (isLoad(insn.code) && BPF_MODE(insn.code) == BPF_ABS && insn.k >= kDeviceOffsets)
        return failure(ErrorCode::Unsupported,
                       "it asks for what only a capture device knows (inbound, "
                       "outbound, ifname, vlan): leave that to the queue's direction");
    if (BPF_CLASS(insn.code) == BPF_ALU && BPF_OP(insn.code) != BPF_NEG && !operation(insn.code))
        return failure(ErrorCode::InvalidArgument, "the program has an unknown operation");
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
void Reader::findLive() {
    live_.assign(program_.size() + 1, {});
    for (std::size_t at = program_.size(); at-- > 0;)
        live_[at] = liveBefore(at);
}

Live Reader::liveBefore(std::size_t at) const {
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

// What is not read any more must not tell two visits apart.
NodeId Reader::visit(std::size_t at, State state) {
    for (std::size_t slot = 0; slot < kSlots; ++slot)
        if (!live_[at].test(slot))
            state[slot] = kNoExpr;
    const std::pair key(at, state);
    if (const auto known = visited_.find(key); known != visited_.end())
        return known->second;
    const NodeId node = step(at, state);
    visited_.emplace(key, node);
    return node;
}

NodeId Reader::step(std::size_t at, State& state) {
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
    return visit(at + 1, state);
}

NodeId Reader::load(std::size_t at, State& state) {
    const auto& insn = program_[at];
    const std::size_t slot = BPF_CLASS(insn.code) == BPF_LD ? kA : kX;
    switch (BPF_MODE(insn.code)) {
    case BPF_IMM:
        state[slot] = expressions_.constant(insn.k);
        return visit(at + 1, state);
    case BPF_MEM:
        state[slot] = state[kFirstWord + insn.k];
        return visit(at + 1, state);
    case BPF_LEN:
        state[slot] = expressions_.length();
        return visit(at + 1, state);
    default:
        return loadBytes(at, state, slot);
    }
}

NodeId Reader::loadBytes(std::size_t at, State& state, std::size_t slot) {
    const auto& insn = program_[at];
    const std::uint8_t size = sizeOf(insn.code);
    const ExprId base = BPF_MODE(insn.code) == BPF_IND ? state[kX] : kNoExpr;
    const ExprId fits = expressions_.fits(size, base, insn.k);
    ExprId value = expressions_.load(size, base, insn.k);
    if (BPF_MODE(insn.code) == BPF_MSH) // the length of an IPv4 header
        value = expressions_.binary(Op::ShiftLeft,
                                    expressions_.binary(Op::And, value, expressions_.constant(0xf)),
                                    expressions_.constant(2));
    state[slot] = value;
    return decisions_.ask({fits, {1, kMaxValue}, visit(at + 1, state), kNoMatch});
}

NodeId Reader::calculate(std::size_t at, State& state) {
    const auto& insn = program_[at];
    if (BPF_OP(insn.code) == BPF_NEG) {
        state[kA] = expressions_.binary(Op::Subtract, expressions_.constant(0), state[kA]);
        return visit(at + 1, state);
    }
    const Op op = *operation(insn.code);
    const ExprId right = operand(insn, state);
    state[kA] = expressions_.binary(op, state[kA], right);
    const NodeId next = visit(at + 1, state);
    if (op != Op::Divide && op != Op::Modulo)
        return next;
    return decisions_.ask({right, {0, 0}, kNoMatch, next});
}

NodeId Reader::jump(std::size_t at, const State& state) {
    const auto& insn = program_[at];
    if (BPF_OP(insn.code) == BPF_JA)
        return visit(at + 1 + insn.k, state);
    const NodeId yes = visit(at + 1 + insn.jt, state);
    const NodeId no = visit(at + 1 + insn.jf, state);
    const ExprId right = operand(insn, state);
    const bool constant = expressions_.isConstant(right);
    const std::uint32_t value = constant ? expressions_.valueOf(right) : 0;
    switch (BPF_OP(insn.code)) {
    case BPF_JEQ:
        if (constant)
            return decisions_.ask({state[kA], {value, value}, yes, no});
        return decisions_.ask({expressions_.binary(Op::Xor, state[kA], right), {0, 0}, yes, no});
    case BPF_JGE:
        if (constant)
            return value == 0 ? yes : decisions_.ask({state[kA], {value, kMaxValue}, yes, no});
        return decisions_.ask({expressions_.binary(Op::Greater, right, state[kA]), {0, 0}, yes, no});
    case BPF_JGT:
        if (constant)
            return value == kMaxValue ? no : decisions_.ask({state[kA], {value + 1, kMaxValue}, yes, no});
        return decisions_.ask({expressions_.binary(Op::Greater, state[kA], right), {1, 1}, yes, no});
    default: // JSET
        return decisions_.ask({expressions_.binary(Op::And, state[kA], right), {1, kMaxValue}, yes, no});
    }
}

NodeId Reader::finish(const sock_filter& insn, const State& state) {
    if (BPF_RVAL(insn.code) == BPF_A)
        return decisions_.ask({state[kA], {0, 0}, kNoMatch, kMatch});
    return insn.k == 0 ? kNoMatch : kMatch;
}

} // namespace

Result<NodeId> readClassic(std::span<const sock_filter> program, Expressions& expressions,
                           Decisions& decisions) {
    return Reader(program, expressions, decisions).read();
}

} // namespace filterd::packet
