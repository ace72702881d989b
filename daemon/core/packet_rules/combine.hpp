// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Puts rules in a row: the first that matches decides.

#include "core/packet_rules/decision.hpp"

#include <cstdint>
#include <span>

namespace filterd::packet {

enum class Verdict : std::uint8_t { Deny, Allow };

// A leaf of a combined graph: who decided. Also the index of a counter if rule N has slot N + kFirstRule.
inline constexpr std::uint32_t kByDefault = 0;
inline constexpr std::uint32_t kByUnparsable = 1;
inline constexpr std::uint32_t kFirstRule = 2;

struct CombinedRule {
    NodeId node; // kMatch, kNoMatch, kCannotJudge
    Verdict verdict = Verdict::Deny;
};

// A rule that cannot judge a packet leaves the decision to those behind it, as long as they come to its own
// verdict; otherwise the packet is unparsable.
[[nodiscard]] NodeId combine(std::span<const CombinedRule> rules, Verdict byDefault, Decisions& decisions);

// Finds quickly that no rule of a long row matches: searches each value that the rules compare with constants
// once, instead of asking rule by rule. The graph's meaning stays.
[[nodiscard]] NodeId simplify(NodeId root, Decisions& decisions);

} // namespace filterd::packet
