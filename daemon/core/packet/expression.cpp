#include "core/packet/expression.hpp"

#include <algorithm>

namespace filterd::packet {

namespace {

constexpr std::uint32_t kBits = 32;

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
    return add({.op = op, .left = left, .right = right});
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
