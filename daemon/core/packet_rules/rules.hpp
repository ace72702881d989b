// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Packet rules as a user writes them, and the port to the language of their expressions.

#include "base/result.hpp"
#include "core/packet_rules/cbpf.hpp"
#include "core/packet_rules/combine.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace filterd::packet {

struct PacketRule {
    Verdict verdict = Verdict::Deny;
    std::string expression; // pcap-filter(7); empty: every packet
    bool operator==(const PacketRule&) const = default;
};

struct PacketRules {
    std::vector<PacketRule> rules; // the first that matches decides
    Verdict byDefault = Verdict::Deny;
    Verdict unparsable = Verdict::Deny; // where the expressions cannot judge
    bool operator==(const PacketRules&) const = default;
};

// libpcap's work grows with the cube of an expression's length, and nobody is answered meanwhile: some two
// seconds for a list of 200 ports. Of expressions as long as that a filter holds two, of those half as long
// eight times as many.
inline constexpr std::size_t kMaxExpression = 1024;
inline constexpr std::size_t kMostOfLongest = 2;

[[nodiscard]] constexpr std::string_view toString(Verdict verdict) {
    return verdict == Verdict::Allow ? "allow" : "deny";
}
// "allow" or "deny".
[[nodiscard]] Result<Verdict> parseVerdict(std::string_view text);
// "allow EXPR" or "deny EXPR". Errors name the column, which begins with 1.
[[nodiscard]] Result<PacketRule> parseRule(std::string_view text);
[[nodiscard]] std::string toString(const PacketRule& rule);

class ExpressionCompiler {
  public:
    virtual ~ExpressionCompiler() = default;
    // Into a program for packets that begin with the IP header. Errors: InvalidArgument with the column,
    // where the expression begins at column `first`.
    [[nodiscard]] virtual Result<CbpfProgram> compile(const std::string& expression, std::size_t first) = 0;
};

} // namespace filterd::packet
