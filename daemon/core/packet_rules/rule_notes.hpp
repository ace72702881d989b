// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Notes what rules say that is legal and does not do what it looks like.

#include "core/packet_rules/possible.hpp"
#include "core/packet_rules/rules.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>

namespace filterd::packet {

struct RuleNote {
    std::size_t rule = 0; // begins with 1
    std::string text;
};

// Rules that are silent about IPv6, that no packet matches, or that no packet reaches.
class RuleNotes {
  public:
    static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
    // As much as the longest expressions that one filter may have: about a second of libpcap's.
    static constexpr std::uint64_t kMostAtOnce =
        (kMostOfLongest + 1) * std::uint64_t{kMaxExpression} * kMaxExpression * kMaxExpression;

    // `work`: how much may be compiled from one beginReview() to the next, since nobody is answered
    // meanwhile.
    explicit RuleNotes(ExpressionCompiler& compiler, std::uint64_t work = kNoLimit)
        : compiler_(compiler), work_(work), left_(work) {}

    void beginReview() { left_ = work_; }
    // Expressions that do not compile are for others to refuse.
    [[nodiscard]] std::vector<RuleNote> about(const PacketRules& rules);

  private:
    std::optional<Matches> matches(const std::string& expression);

    ExpressionCompiler& compiler_;
    std::uint64_t work_;
    std::uint64_t left_;
    std::map<std::string, Matches> known_;
};

} // namespace filterd::packet
