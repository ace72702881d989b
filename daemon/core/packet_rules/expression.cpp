// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/expression.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace filterd::packet {

namespace {

constexpr std::uint32_t kBits = 32;
constexpr std::uint32_t kMaxByte = 255;

std::uint32_t compute(Op op, std::uint32_t left, std::uint32_t right) {
    switch (op) {
    case Op::Add:
        return left + right;
    case Op::Subtract:
        return left - right;
    case Op::Multiply:
        return left * right;
    case Op::Divide:
        return right == 0 ? 0 : left / right;
    case Op::Modulo:
        return right == 0 ? 0 : left % right;
    case Op::And:
        return left & right;
    case Op::Or:
        return left | right;
    case Op::Xor:
        return left ^ right;
    case Op::ShiftLeft:
        return right < kBits ? left << right : 0;
    case Op::ShiftRight:
        return right < kBits ? left >> right : 0;
    case Op::Greater:
        return left > right ? 1 : 0;
    default:
        return 0;
    }
}

bool isCommutative(Op op) {
    return op == Op::Add || op == Op::Multiply || op == Op::And || op == Op::Or || op == Op::Xor;
}

} // namespace

ExprId Expressions::add(const Expression& expression) {
    const auto [found, isNew] = ids_.emplace(expression, static_cast<ExprId>(all_.size()));
    if (isNew) {
        bounds_.push_back(boundsOf(expression));
        all_.push_back(expression);
    }
    return found->second;
}

// A constant base becomes part of the offset, unless their sum needs more than 32 bits.
bool Expressions::foldOffset(ExprId& base, std::uint32_t& offset) const {
    if (base == kNoExpr)
        return true;
    if (!isConstant(base))
        return true;
    if (valueOf(base) > kMaxValue - offset)
        return false;
    offset += valueOf(base);
    base = kNoExpr;
    return true;
}

ExprId Expressions::load(std::uint8_t size, ExprId base, std::uint32_t offset) {
    if (!foldOffset(base, offset))
        return constant(0); // never asked for: it does not fit
    return add({.op = Op::Load, .size = size, .value = offset, .left = base});
}

ExprId Expressions::fits(std::uint8_t size, ExprId base, std::uint32_t offset) {
    if (!foldOffset(base, offset))
        return constant(0);
    return add({.op = Op::Fits, .size = size, .value = offset, .left = base});
}

ExprId Expressions::binary(Op op, ExprId left, ExprId right) {
    if (isConstant(left) && isConstant(right))
        return constant(compute(op, valueOf(left), valueOf(right)));
    if (isConstant(left) && isCommutative(op))
        std::swap(left, right);
    if (left == right)
        if (const auto simple = withItself(op, left))
            return *simple;
    if (isConstant(right))
        if (const auto simple = withConstant(op, left, valueOf(right)))
            return *simple;
    return add({.op = op, .left = left, .right = right});
}

std::optional<ExprId> Expressions::withItself(Op op, ExprId operand) {
    switch (op) {
    case Op::Subtract:
    case Op::Xor:
    case Op::Greater:
        return constant(0);
    case Op::And:
    case Op::Or:
        return operand;
    default:
        return std::nullopt;
    }
}

std::optional<ExprId> Expressions::withConstant(Op op, ExprId left, std::uint32_t right) {
    const auto only = [](bool condition, ExprId id) { return condition ? std::optional(id) : std::nullopt; };
    switch (op) {
    case Op::Add:
    case Op::Subtract:
    case Op::Or:
    case Op::Xor:
        return only(right == 0, left);
    case Op::ShiftLeft:
    case Op::ShiftRight:
        return right >= kBits ? std::optional(constant(0)) : only(right == 0, left);
    case Op::Multiply:
        return right == 0 ? std::optional(constant(0)) : only(right == 1, left);
    case Op::Divide:
        return only(right == 1, left);
    case Op::And:
        // A mask that leaves every bit of the value.
        return right == 0 ? std::optional(constant(0)) : only((bits(left) & ~right) == 0, left);
    default:
        return std::nullopt;
    }
}

Condition Expressions::compare(Comparison comparison, ExprId left, ExprId right) {
    if (comparison == Comparison::AnyBitOf) {
        const ExprId bits = binary(Op::And, left, right);
        return {bits, {1, kMaxValue}};
    }
    if (comparison == Comparison::Equal) {
        if (isConstant(right))
            return equals(left, valueOf(right));
        return isConstant(left) ? equals(right, valueOf(left)) : equals(binary(Op::Xor, left, right), 0);
    }
    const bool orEqual = comparison == Comparison::AtLeast;
    if (isConstant(right)) {
        const std::uint32_t value = valueOf(right);
        if (orEqual)
            return {left, {value, kMaxValue}};
        return value == kMaxValue ? never() : Condition{left, {value + 1, kMaxValue}};
    }
    if (isConstant(left)) {
        const std::uint32_t value = valueOf(left);
        if (orEqual)
            return {right, {0, value}};
        return value == 0 ? never() : Condition{right, {0, value - 1}};
    }
    return orEqual ? Condition{binary(Op::Greater, right, left), {0, 0}}
                   : Condition{binary(Op::Greater, left, right), {1, 1}};
}

// One question, however it is spelt: libpcap asks whether a difference is 0 where it was told to compare with
// a constant, on whichever side that stands.
Condition Expressions::equals(ExprId subject, std::uint32_t value) {
    Question question{subject, value};
    while (const auto inner = solved(question))
        question = *inner;
    if (const auto ofByte = askedOfByte(question))
        question = *ofByte;
    return {question.subject, {question.value, question.value}};
}

// Without its outermost calculation, where that is with a constant and can be undone.
std::optional<Expressions::Question> Expressions::solved(const Question& question) const {
    const Expression& outer = all_[question.subject];
    if (outer.left == kNoExpr || outer.right == kNoExpr)
        return std::nullopt;
    if (outer.op == Op::Subtract && isConstant(outer.left))
        return Question{outer.right, valueOf(outer.left) - question.value};
    if (!isConstant(outer.right))
        return std::nullopt;
    const std::uint32_t constant = valueOf(outer.right);
    switch (outer.op) {
    case Op::Subtract:
        return Question{outer.left, question.value + constant};
    case Op::Add:
        return Question{outer.left, question.value - constant};
    case Op::Xor:
        return Question{outer.left, question.value ^ constant};
    default:
        return std::nullopt;
    }
}

// A byte that is cut out of a wider load, as ip6[6:2] >> 8 or ip6[4:4] & 0xff00. Only of what no packet
// lacks, since the byte alone could be there without its neighbours.
std::optional<Expressions::Question> Expressions::askedOfByte(const Question& question) {
    constexpr std::uint32_t kAlwaysThere = 20; // the least header of IPv4
    std::uint32_t shift = 0;
    std::uint32_t mask = kMaxValue; // of the load's bits
    Expression inner = all_[question.subject];
    for (; inner.op == Op::And || inner.op == Op::ShiftRight; inner = all_[inner.left]) {
        if (!isConstant(inner.right))
            return std::nullopt;
        const std::uint32_t constant = valueOf(inner.right);
        if (inner.op == Op::And) {
            mask &= constant;
        } else {
            mask <<= constant; // less than 32, or it were a constant
            shift += constant;
        }
    }
    if (inner.op != Op::Load || inner.size == 1 || inner.left != kNoExpr ||
        std::uint64_t{inner.value} + inner.size > kAlwaysThere)
        return std::nullopt;
    mask &= kMaxValue >> (kBits - 8 * inner.size);
    const auto place = static_cast<std::uint32_t>(std::countr_zero(mask));
    if (mask == 0 || place % 8 != 0 || mask >> place != kMaxByte)
        return std::nullopt;
    const std::uint32_t left = place - shift; // bits to the right of the byte in what is asked for
    if ((question.value & ~(kMaxByte << left)) != 0)
        return std::nullopt;
    const std::uint32_t offset = inner.value + inner.size - 1 - place / 8;
    return Question{load(1, kNoExpr, offset), question.value >> left};
}

namespace {

// All bits up to the highest one.
std::uint32_t bitsUpTo(std::uint32_t maximum) {
    return maximum == 0 ? 0 : kMaxValue >> std::countl_zero(maximum);
}

std::uint32_t capped(std::uint64_t value) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, kMaxValue));
}

// Returns the maximum of a calculation with operands up to `left` and `right`.
std::uint32_t maximumOf(Op op, std::uint64_t left, std::uint64_t right, bool isRightConstant) {
    switch (op) {
    case Op::Add:
        return capped(left + right);
    case Op::Multiply:
        return capped(left * right);
    case Op::Divide:
        return capped(isRightConstant && right > 0 ? left / right : left);
    case Op::Modulo:
        return capped(right > 0 ? std::min(left, right - 1) : left);
    case Op::ShiftLeft:
        return isRightConstant ? capped(left << right) : kMaxValue;
    case Op::ShiftRight:
        return capped(isRightConstant ? left >> right : left);
    default:
        return kMaxValue;
    }
}

} // namespace

Expressions::Bounds Expressions::boundsOf(const Expression& expression) const {
    const auto upTo = [](std::uint32_t maximum) { return Bounds{maximum, bitsUpTo(maximum)}; };
    switch (expression.op) {
    case Op::Constant:
        return {expression.value, expression.value};
    case Op::Load:
        return upTo(kMaxValue >> (kBits - 8 * expression.size));
    case Op::UpperProtocol:
        return upTo(kUnknownProtocol);
    case Op::Extensions:
        return upTo(kMaxByte);
    case Op::Greater:
    case Op::Fits:
        return upTo(1);
    case Op::Length:
        return {};
    default:
        break;
    }
    const Bounds left = bounds_[expression.left];
    const Bounds right = bounds_[expression.right];
    const bool byConstant = isConstant(expression.right);
    if (expression.op == Op::And)
        return {std::min(left.maximum, right.maximum), left.bits & right.bits};
    if (expression.op == Op::Or || expression.op == Op::Xor)
        return {left.bits | right.bits, left.bits | right.bits};
    auto bounds = upTo(maximumOf(expression.op, left.maximum, right.maximum, byConstant));
    if (byConstant && expression.op == Op::ShiftLeft)
        bounds.bits &= left.bits << right.maximum;
    return bounds;
}

} // namespace filterd::packet
