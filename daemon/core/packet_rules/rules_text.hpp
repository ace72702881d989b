// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Packet rules as the text by which a loaded filter is known, and the counters of a filter of rules, which
// outlive a change of the rules.

#include "core/packet_rules/rules.hpp"
#include "core/packet_rules/rules_program.hpp"

#include <optional>
#include <string_view>

namespace filterd::packet {

[[nodiscard]] std::string rulesText(const PacketRules& rules);
// Of that text.
[[nodiscard]] std::string digestOf(const PacketRules& rules);
// Errors: InvalidArgument, LimitExceeded; "rule N: column C: …" where one rule is the reason.
[[nodiscard]] Result<PacketRules> parseRulesText(std::string_view text);

// Returns whether the rules are few and short enough to make a filter. LimitExceeded.
[[nodiscard]] Status checkLimits(const PacketRules& rules);

// Rules and which entry of the map of counters each one has.
struct NumberedRules {
    PacketRules rules;
    std::vector<std::uint32_t> counters; // by the rules' positions
    std::uint32_t capacity = 0;          // entries of the map
    bool operator==(const NumberedRules&) const = default;
};

struct Numbering {
    NumberedRules numbered;
    bool fresh = true; // needs a map of its own
    // Fresh: entries that go on from one of the earlier map, as pairs of earlier and new.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> carried;
    // Not fresh: entries of the earlier map that begin at 0.
    std::vector<std::uint32_t> cleared;
};

// A rule that stays, wherever it moves, keeps its counter. The earlier map serves on if it has room for the
// new rules beside all earlier ones, whose program still counts.
[[nodiscard]] Numbering number(const PacketRules& rules, const NumberedRules* earlier);

// As a line of text that parseNumbered() reads.
[[nodiscard]] std::string numberedText(const NumberedRules& numbered);
[[nodiscard]] std::optional<NumberedRules> parseNumbered(const std::string& text);

} // namespace filterd::packet
