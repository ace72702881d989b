// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Values that a rule computes from a packet, as pure expressions. Equal expressions have equal ids.

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace filterd::packet {

using ExprId = std::uint32_t;
inline constexpr ExprId kNoExpr = std::numeric_limits<ExprId>::max();
inline constexpr std::uint32_t kMaxValue = std::numeric_limits<std::uint32_t>::max();

// All values have 32 bits. The last three compare and give 0 or 1.
enum class Op : std::uint8_t {
    Constant,
    Length,        // of the packet
    UpperProtocol, // behind IPv6 extension headers; kUnknownProtocol where that cannot be told
    Extensions,    // a bit for each kind of IPv6 extension header that was seen, see kExtensionHeaders
    Load,          // `size` bytes at left + value, in network order
    Add,
    Subtract,
    Multiply,
    Divide, // the divisor is not 0
    Modulo,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    Greater, // left > right
    Fits,    // the packet has `size` bytes at left + value
};

// No rule comes to it: whether a byte has this value is answered before anybody looks.
inline constexpr std::uint32_t kUnknownProtocol = 256;

struct Expression {
    Op op = Op::Constant;
    std::uint8_t size = 0;   // Load, Fits: 1, 2 or 4
    std::uint32_t value = 0; // Constant; Load, Fits: the constant part of the offset
    ExprId left = kNoExpr;   // Load, Fits: the variable part of the offset, or none
    ExprId right = kNoExpr;
    auto key() const { return std::tie(op, size, value, left, right); }
    bool operator<(const Expression& other) const { return key() < other.key(); }
};

struct Range {
    std::uint32_t low = 0;
    std::uint32_t high = 0; // included
    [[nodiscard]] bool contains(std::uint32_t value) const { return low <= value && value <= high; }
    [[nodiscard]] bool isSingle() const { return low == high; }
    auto operator<=>(const Range&) const = default;
};

// Whether a value is within a range.
struct Condition {
    ExprId subject = kNoExpr;
    Range range;
};

enum class Comparison : std::uint8_t { Equal, AtLeast, Greater, AnyBitOf };

// Those that are always the same become constants, and what changes no value is left out.
class Expressions {
  public:
    [[nodiscard]] ExprId constant(std::uint32_t value) { return add({.value = value}); }
    [[nodiscard]] ExprId length() { return add({.op = Op::Length}); }
    [[nodiscard]] ExprId upperProtocol() { return add({.op = Op::UpperProtocol}); }
    [[nodiscard]] ExprId extensions() { return add({.op = Op::Extensions}); }
    [[nodiscard]] ExprId load(std::uint8_t size, ExprId base, std::uint32_t offset);
    [[nodiscard]] ExprId fits(std::uint8_t size, ExprId base, std::uint32_t offset);
    [[nodiscard]] ExprId binary(Op op, ExprId left, ExprId right);
    // A constant as its subject where the answer is always the same.
    [[nodiscard]] Condition compare(Comparison comparison, ExprId left, ExprId right);

    // By value: a reference would not survive the next new expression.
    [[nodiscard]] Expression operator[](ExprId id) const { return all_[id]; }
    [[nodiscard]] bool isConstant(ExprId id) const { return all_[id].op == Op::Constant; }
    [[nodiscard]] std::uint32_t valueOf(ExprId constant) const { return all_[constant].value; }
    // No value is larger.
    [[nodiscard]] std::uint32_t maximum(ExprId id) const { return bounds_[id].maximum; }
    // No value has another bit.
    [[nodiscard]] std::uint32_t bits(ExprId id) const { return bounds_[id].bits; }

  private:
    struct Bounds {
        std::uint32_t maximum = kMaxValue;
        std::uint32_t bits = kMaxValue;
    };
    // States that `subject` is `value`, where the answer is that to the question at hand.
    struct Question {
        ExprId subject = kNoExpr;
        std::uint32_t value = 0;
    };

    ExprId add(const Expression& expression);
    [[nodiscard]] Bounds boundsOf(const Expression& expression) const;
    bool foldOffset(ExprId& base, std::uint32_t& offset) const;
    std::optional<ExprId> withItself(Op op, ExprId operand);
    std::optional<ExprId> withConstant(Op op, ExprId left, std::uint32_t right);
    Condition equals(ExprId subject, std::uint32_t value);
    std::optional<Question> solved(const Question& question) const;
    std::optional<Question> askedOfByte(const Question& question);
    Condition never() { return {constant(0), {1, 1}}; }

    std::vector<Expression> all_;
    std::vector<Bounds> bounds_; // of each
    std::map<Expression, ExprId> ids_;
};

} // namespace filterd::packet
