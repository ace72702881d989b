#include "core/packet/expression.hpp"

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
    if (isNew)
        all_.push_back(expression);
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
        return right == 0
                   ? std::optional(constant(0))
                   : only(std::countr_one(right) >= static_cast<int>(std::bit_width(maximum(left))), left);
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

// libpcap asks whether a difference is 0 where it was told to compare with a constant.
Condition Expressions::equals(ExprId subject, std::uint32_t value) {
    for (Expression outer = all_[subject]; outer.right != kNoExpr && isConstant(outer.right);
         outer = all_[subject]) {
        const std::uint32_t constant = valueOf(outer.right);
        if (outer.op == Op::Subtract)
            value += constant;
        else if (outer.op == Op::Add)
            value -= constant;
        else if (outer.op == Op::Xor)
            value ^= constant;
        else
            break;
        subject = outer.left;
    }
    return {subject, {value, value}};
}

std::uint32_t Expressions::maximum(ExprId id) const {
    const Expression& expression = all_[id];
    switch (expression.op) {
    case Op::Constant:
        return expression.value;
    case Op::Load:
        return kMaxValue >> (kBits - 8 * expression.size);
    case Op::UpperProtocol:
        return kUnknownProtocol;
    case Op::Extensions:
        return kMaxByte;
    case Op::And:
        return std::min(maximum(expression.left), maximum(expression.right));
    case Op::Greater:
    case Op::Fits:
        return 1;
    default:
        return kMaxValue;
    }
}

} // namespace filterd::packet
