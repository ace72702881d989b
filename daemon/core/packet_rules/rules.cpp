// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/rules.hpp"

#include <algorithm>

namespace filterd::packet {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlanks);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// A rule is one line wherever it is kept.
std::string onOneLine(std::string_view text) {
    std::string line(text);
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    return line;
}

std::string columnOf(std::string_view text, std::string_view part) {
    return "column " + std::to_string(part.data() - text.data() + 1);
}

// libpcap reads up to a NUL byte and no further, and knows no letter beyond ASCII.
Status checkText(std::string_view text) {
    const auto wrong = std::find_if(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < ' ' && kBlanks.find(c) == std::string_view::npos) || byte > '~';
    });
    if (wrong == text.end())
        return {};
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(*wrong);
    return failure(ErrorCode::InvalidArgument,
                   "column " + std::to_string(wrong - text.begin() + 1) + ": the byte 0x" +
                       kDigits[byte >> 4] + kDigits[byte & 0xf] +
                       " is no character of a rule; write it in plain ASCII, without control characters");
}

} // namespace

Result<Verdict> parseVerdict(std::string_view text) {
    if (text == "allow")
        return Verdict::Allow;
    if (text == "deny")
        return Verdict::Deny;
    return failure(ErrorCode::InvalidArgument, "'" + std::string(text) + "' is neither allow nor deny");
}

Result<PacketRule> parseRule(std::string_view text) {
    if (auto checked = checkText(text); !checked)
        return failure(checked.error());
    const std::string_view rule = trimmed(text);
    const std::string_view word = rule.substr(0, rule.find_first_of(kBlanks));
    const auto verdict = parseVerdict(word);
    if (rule.empty())
        return failure(ErrorCode::InvalidArgument,
                       "a rule is missing: write allow EXPRESSION or deny EXPRESSION");
    if (!verdict)
        return failure(ErrorCode::InvalidArgument, columnOf(text, rule) +
                                                       ": a rule begins with allow or deny, not '" +
                                                       std::string(word) + "'");
    const std::string_view expression = trimmed(rule.substr(word.size()));
    if (expression.empty())
        return failure(
            ErrorCode::InvalidArgument,
            "column " +
                std::to_string(static_cast<std::size_t>(word.data() - text.data()) + word.size() + 1) +
                ": an expression is missing; for the packets that no rule matches there is Default=");
    if (expression.size() > kMaxExpression)
        return failure(ErrorCode::LimitExceeded, "an expression of " + std::to_string(expression.size()) +
                                                     " characters; at most " +
                                                     std::to_string(kMaxExpression) + " make one rule");
    return PacketRule{*verdict, onOneLine(expression)};
}

std::string toString(const PacketRule& rule) {
    return std::string(toString(rule.verdict)) + " " + rule.expression;
}

} // namespace filterd::packet
