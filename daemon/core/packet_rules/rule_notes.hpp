// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Notes what rules say that is legal and does not do what it looks like.

#include "core/packet_rules/possible.hpp"
#include "core/packet_rules/rules.hpp"

#include <map>
#include <string>
#include <vector>

namespace filterd::packet {

struct RuleNote {
    std::size_t rule = 0; // begins with 1
    std::string text;
};

// Rules that are silent about IPv6, that no packet matches, or that no packet reaches.
class RuleNotes {
  public:
    virtual ~RuleNotes() = default;
    // Expressions that do not compile are for others to refuse.
    [[nodiscard]] virtual std::vector<RuleNote> about(const PacketRules& rules) = 0;
};

// Found by compiling each rule, which takes its time.
class CompiledRuleNotes final : public RuleNotes {
  public:
    explicit CompiledRuleNotes(ExpressionCompiler& compiler) : compiler_(compiler) {}

    [[nodiscard]] std::vector<RuleNote> about(const PacketRules& rules) override;

  private:
    Matches matches(const std::string& expression);

    ExpressionCompiler& compiler_;
    std::map<std::string, Matches> known_;
};

} // namespace filterd::packet
