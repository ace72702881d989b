// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/emit.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

namespace filterd::packet {

namespace {

constexpr std::uint8_t kAccumulator = BPF_REG_0;
constexpr std::uint8_t kOperand = BPF_REG_1;
// Registers that keep values; those that survive a call first.
constexpr std::array<std::uint8_t, 6> kKeeping{BPF_REG_8, BPF_REG_9, BPF_REG_2,
                                               BPF_REG_3, BPF_REG_4, BPF_REG_5};
constexpr std::uint8_t kLastLostInCall = BPF_REG_5;
constexpr std::uint32_t kMaxShift = 31;

std::int32_t spillAt(std::int32_t depth) { return kFirstSpill - 8 * depth; }

std::uint8_t codeOf(Op op) {
    switch (op) {
    case Op::Add:
        return BPF_ADD;
    case Op::Subtract:
        return BPF_SUB;
    case Op::Multiply:
        return BPF_MUL;
    case Op::Divide:
        return BPF_DIV;
    case Op::Modulo:
        return BPF_MOD;
    case Op::And:
        return BPF_AND;
    case Op::Or:
        return BPF_OR;
    case Op::ShiftLeft:
        return BPF_LSH;
    case Op::ShiftRight:
        return BPF_RSH;
    default:
        return BPF_XOR;
    }
}

// Visits in post-order without recursion: a graph is as deep as its rules are many.
class PostOrder {
  public:
    explicit PostOrder(const Decisions& decisions) : decisions_(decisions) {}

    std::vector<NodeId> of(NodeId root) {
        push(root);
        while (!open_.empty()) {
            const auto [node, step] = open_.back();
            ++open_.back().second;
            // The first to be finished stands last: what is asked after a no follows at once.
            if (step == 0)
                push(decisions_[node].inside);
            else if (step == 1)
                push(decisions_[node].outside);
            else {
                result_.push_back(node);
                open_.pop_back();
            }
        }
        return std::move(result_);
    }

  private:
    void push(NodeId node) {
        if (!node.isLeaf() && seen_.insert(node).second)
            open_.emplace_back(node, 0);
    }

    const Decisions& decisions_;
    std::set<NodeId> seen_;
    std::vector<std::pair<NodeId, int>> open_;
    std::vector<NodeId> result_;
};

} // namespace

Status Emitter::write(NodeId root) {
    if (root.isLeaf()) {
        code_.jump(labelOf(root));
        return {};
    }
    order_ = PostOrder(decisions_).of(root);
    std::reverse(order_.begin(), order_.end());
    for (const NodeId node : order_)
        labels_.emplace(node, code_.label());
    Held nothing{};
    nothing.fill(kNoExpr);
    arriving_.emplace(root, nothing);
    for (std::size_t i = 0; i < order_.size(); ++i)
        writeNode(order_[i], i + 1 < order_.size() ? std::optional(order_[i + 1]) : std::nullopt);
    if (tooDeep_)
        return failure(ErrorCode::LimitExceeded, "a rule's calculation is too deep; use fewer parentheses");
    return {};
}

Label Emitter::labelOf(NodeId node) const {
    return node.isLeaf() ? outcomes_[node.meaning()] : labels_.at(node);
}

void Emitter::writeNode(NodeId node, std::optional<NodeId> next) {
    const Decision& decision = decisions_[node];
    code_.place(labels_.at(node));
    held_ = arriving_.at(node);
    const std::uint8_t value = evaluate(decision.subject);
    passOn(decision, decision.inside);
    passOn(decision, decision.outside);
    const bool insideIsNext = next == decision.inside;
    branch(value, decision.range, labelOf(decision.inside), labelOf(decision.outside), insideIsNext);
    if (!insideIsNext && next != decision.outside)
        code_.jump(labelOf(decision.outside));
}

// A register keeps its value where all ways to a node agree. What the verifier knows of a value by the answer
// ends with it: it would look at what follows once for each answer, and so often again at all rules behind.
void Emitter::passOn(const Decision& decision, NodeId to) {
    if (to.isLeaf())
        return;
    Held passed = held_;
    const bool learnt = !decision.range.isSingle() || to == decision.inside;
    if (learnt && decisions_[to].subject != decision.subject)
        std::replace(passed.begin(), passed.end(), decision.subject, kNoExpr);
    const auto [arriving, isFirst] = arriving_.emplace(to, passed);
    if (isFirst)
        return;
    for (std::size_t i = 0; i < kRegisters; ++i)
        if (arriving->second[i] != passed[i])
            arriving->second[i] = kNoExpr;
}

void Emitter::branch(std::uint8_t value, const Range& range, Label inside, Label outside, bool insideIsNext) {
    const auto jumpTo = [&](std::uint8_t yes, std::uint8_t no, std::uint8_t left, std::uint32_t right) {
        code_.jumpIf(insideIsNext ? no : yes, left, right, insideIsNext ? outside : inside);
    };
    if (range.isSingle()) {
        jumpTo(BPF_JEQ, BPF_JNE, value, range.low);
    } else if (range.low == 0) {
        jumpTo(BPF_JLE, BPF_JGT, value, range.high);
    } else if (range.high == kMaxValue) {
        jumpTo(BPF_JGE, BPF_JLT, value, range.low);
    } else {
        code_.move(kAccumulator, value);
        code_.compute(BPF_SUB, kAccumulator, range.low);
        jumpTo(BPF_JLE, BPF_JGT, kAccumulator, range.high - range.low);
    }
}

// ---- values ---------------------------------------------------------------------------------------------

std::uint8_t Emitter::choose() const {
    for (const std::uint8_t candidate : kKeeping)
        if (held_[candidate] == kNoExpr)
            return candidate;
    return kKeeping[turn_++ % kKeeping.size()];
}

std::uint8_t Emitter::keep(ExprId id, std::uint8_t from) {
    const std::uint8_t target = choose();
    code_.move(target, from);
    held_[target] = id;
    return target;
}

std::uint8_t Emitter::evaluate(ExprId id, std::int32_t depth) {
    for (const std::uint8_t candidate : kKeeping)
        if (held_[candidate] == id)
            return candidate;
    const Expression expression = expressions_[id];
    if (expression.op == Op::Load && inReach(expression)) {
        const std::uint8_t target = choose();
        loadDirectly(expression, target);
        held_[target] = id;
        return target;
    }
    switch (expression.op) {
    case Op::Constant:
        code_.set(kAccumulator, expression.value);
        break;
    case Op::Length:
        code_.load(4, kAccumulator, kContext, offsetof(__sk_buff, len));
        break;
    case Op::UpperProtocol:
        code_.load(8, kAccumulator, BPF_REG_10, kUpperProtocol);
        break;
    case Op::Extensions:
        code_.load(1, kAccumulator, BPF_REG_10, kExtensions);
        break;
    case Op::Load:
        loadByCall(expression, depth);
        break;
    case Op::Fits:
        fits(expression, depth);
        break;
    default:
        calculate(expression, depth);
    }
    return keep(id, kAccumulator);
}

// The verifier wants what lies on the stack to be read in its place.
void Emitter::loadDirectly(const Expression& load, std::uint8_t target) {
    const std::int32_t offset = reach_.displacement + static_cast<std::int32_t>(load.value);
    // No load is wider, and an offset of 0 is a multiple of it.
    constexpr unsigned kWidest = sizeof(std::uint32_t);
    const int alignment = 1 << std::countr_zero(static_cast<unsigned>(offset) | kWidest);
    const auto part =
        reach_.base == kData ? load.size : static_cast<std::uint8_t>(std::min<int>(load.size, alignment));
    code_.load(part, target, reach_.base, offset);
    code_.toHostOrder(target, part);
    for (std::int32_t done = part; done < load.size; done += part) {
        code_.load(part, kAccumulator, reach_.base, offset + done);
        code_.toHostOrder(kAccumulator, part);
        code_.compute(BPF_LSH, target, 8U * part);
        code_.computeWith(BPF_OR, target, kAccumulator);
    }
}

void Emitter::addOffset(std::uint8_t target, std::uint64_t offset) {
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int32_t>::max();
    for (; offset > 0; offset -= std::min(offset, kLargest))
        code_.add64(target, static_cast<std::int32_t>(std::min(offset, kLargest)));
}

// Returns whether the bytes are there has been asked before; all the same nothing is read where the copy
// failed, since the helper clears its target then.
void Emitter::loadByCall(const Expression& load, std::int32_t depth) {
    if (load.left != kNoExpr) {
        code_.move(BPF_REG_2, evaluate(load.left, depth));
        addOffset(BPF_REG_2, load.value);
    } else {
        code_.set(BPF_REG_2, load.value);
    }
    code_.move(BPF_REG_1, kContext);
    code_.move(BPF_REG_3, BPF_REG_10);
    code_.add64(BPF_REG_3, kLoaded);
    code_.set(BPF_REG_4, load.size);
    code_.callHelper(BPF_FUNC_skb_load_bytes);
    for (std::uint8_t lost = BPF_REG_0; lost <= kLastLostInCall; ++lost)
        held_[lost] = kNoExpr;
    code_.load(load.size, kAccumulator, BPF_REG_10, kLoaded);
    code_.toHostOrder(kAccumulator, load.size);
}

// In 64 bits: no sum of these overflows.
void Emitter::fits(const Expression& fits, std::int32_t depth) {
    if (fits.left != kNoExpr)
        code_.move(kAccumulator, evaluate(fits.left, depth));
    else
        code_.set(kAccumulator, 0);
    addOffset(kAccumulator, fits.value + std::uint64_t{fits.size});
    code_.load(4, kOperand, kContext, offsetof(__sk_buff, len));
    const Label no = code_.label();
    const Label done = code_.label();
    code_.jumpIfWith(BPF_JGT, kAccumulator, kOperand, no);
    code_.set(kAccumulator, 1);
    code_.jump(done);
    code_.place(no);
    code_.set(kAccumulator, 0);
    code_.place(done);
}

void Emitter::calculate(const Expression& expression, std::int32_t depth) {
    tooDeep_ |= depth >= kSpills;
    const std::uint8_t left = evaluate(expression.left, depth);
    const Expression right = expressions_[expression.right];
    if (right.op == Op::Constant && expression.op != Op::Greater) {
        code_.move(kAccumulator, left);
        apply(expression.op, right.value);
        return;
    }
    code_.store(8, BPF_REG_10, spillAt(depth), left);
    code_.move(kOperand, evaluate(expression.right, depth + 1));
    code_.load(8, kAccumulator, BPF_REG_10, spillAt(depth));
    applyWith(expression.op);
}

void Emitter::apply(Op op, std::uint32_t right) {
    const bool isShift = op == Op::ShiftLeft || op == Op::ShiftRight;
    const bool isDivision = op == Op::Divide || op == Op::Modulo;
    if ((isShift && right > kMaxShift) || (isDivision && right == 0))
        code_.set(kAccumulator, 0);
    else
        code_.compute(codeOf(op), kAccumulator, right);
}

void Emitter::applyWith(Op op) {
    if (op == Op::ShiftLeft || op == Op::ShiftRight) {
        shift(codeOf(op));
        return;
    }
    if (op != Op::Greater) {
        code_.computeWith(codeOf(op), kAccumulator, kOperand);
        return;
    }
    const Label greater = code_.label();
    const Label done = code_.label();
    code_.jumpIfWith(BPF_JGT, kAccumulator, kOperand, greater);
    code_.set(kAccumulator, 0);
    code_.jump(done);
    code_.place(greater);
    code_.set(kAccumulator, 1);
    code_.place(done);
}

// The processor would take the amount modulo 32.
void Emitter::shift(std::uint8_t operation) {
    const Label small = code_.label();
    const Label done = code_.label();
    code_.jumpIf(BPF_JLE, kOperand, kMaxShift, small);
    code_.set(kAccumulator, 0);
    code_.jump(done);
    code_.place(small);
    code_.computeWith(operation, kAccumulator, kOperand);
    code_.place(done);
}

} // namespace filterd::packet
