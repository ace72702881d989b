// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Rules as the content of a filter, and their counters over changes.

#include "core/packet_rules/rules_text.hpp"

#include <gtest/gtest.h>

#include <set>

namespace filterd::packet {

namespace {

PacketRules rulesOf(const std::vector<std::string>& expressions) {
    PacketRules rules{.rules = {}, .byDefault = Verdict::Allow, .unparsable = Verdict::Deny};
    for (const auto& expression : expressions)
        rules.rules.push_back({Verdict::Deny, expression});
    return rules;
}

Result<PacketRules> parse(const std::string& text) { return parseRulesText(text); }

std::string fault(const std::string& text) {
    const auto rules = parse(text);
    return rules ? "" : rules.error().message;
}

} // namespace

TEST(RulesText, IsReadBack) {
    const PacketRules rules{
        {{Verdict::Allow, "tcp port 443"}, {Verdict::Deny, "ip6"}}, Verdict::Deny, Verdict::Allow};
    const std::string text = rulesText(rules);
    const auto read = parse(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, rules);
}

TEST(RulesText, IsNoObject) {
    const std::string elf = "\x7f"
                            "ELF\x02\x01\x01";
    EXPECT_EQ(parse(elf).error().code, ErrorCode::InvalidArgument);
}

TEST(RulesText, NamesTheRuleAndColumnOfAFault) {
    const std::string head = "filterd rules 1\ndefault deny\nunparsable deny\n";
    EXPECT_EQ(fault(head + "allow tcp\npermit udp\n"),
              "rule 2: column 1: a rule begins with allow or deny, not 'permit'");
    EXPECT_NE(fault("filterd rules 1\ndefault maybe\n"), "");
    EXPECT_NE(fault("filterd rules 1\nallow tcp\n"), "");
    std::string many = head;
    for (std::size_t i = 0; i <= kMaxPacketRules; ++i)
        many += "allow tcp\n";
    EXPECT_EQ(parse(many).error().code, ErrorCode::LimitExceeded);
}

TEST(RulesText, TheLongerExpressionsAreTheFewerMakeAFilter) {
    const auto parseMany = [](std::size_t count, std::size_t length) {
        PacketRules rules;
        rules.rules.assign(count, {Verdict::Allow, std::string(length, 'x')});
        const auto text = rulesText(rules);
        return parse(text);
    };
    for (const auto& [count, length] :
         {std::pair(2, 1024), std::pair(16, 512), std::pair(128, 256), std::pair(1000, 128)})
        EXPECT_TRUE(parseMany(static_cast<std::size_t>(count), static_cast<std::size_t>(length))) << length;
    const auto refused = parseMany(17, 512);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
    EXPECT_TRUE(refused.error().message.starts_with("rule 17: ")) << refused.error().message;
}

TEST(Numbering, ANewFilterBeginsWithCountersOfItsOwn) {
    const auto first = number(rulesOf({"tcp", "udp"}), nullptr);
    EXPECT_TRUE(first.fresh);
    EXPECT_TRUE(first.carried.empty());
    EXPECT_EQ(first.numbered.counters, (std::vector<std::uint32_t>{2, 3}));
    EXPECT_GE(first.numbered.capacity, 6U);
}

TEST(Numbering, RulesThatStayKeepTheirCounters) {
    const auto first = number(rulesOf({"tcp", "udp", "icmp"}), nullptr).numbered;
    const auto next = number(rulesOf({"icmp", "sctp", "tcp"}), &first);
    EXPECT_FALSE(next.fresh);
    EXPECT_EQ(next.numbered.counters[0], first.counters[2]);
    EXPECT_EQ(next.numbered.counters[2], first.counters[0]);
    // The new rule's counter is none that the earlier program still counts with, and begins at 0.
    EXPECT_EQ(next.cleared, (std::vector<std::uint32_t>{next.numbered.counters[1]}));
    const std::set<std::uint32_t> earlier(first.counters.begin(), first.counters.end());
    EXPECT_FALSE(earlier.contains(next.numbered.counters[1]));
}

TEST(Numbering, ADifferentVerdictIsADifferentRule) {
    const auto first = number(rulesOf({"tcp"}), nullptr).numbered;
    PacketRules changed = rulesOf({"tcp"});
    changed.rules[0].verdict = Verdict::Allow;
    EXPECT_NE(number(changed, &first).numbered.counters, first.counters);
}

TEST(Numbering, EqualRulesHaveCountersOfTheirOwn) {
    const auto first = number(rulesOf({"tcp", "tcp"}), nullptr).numbered;
    EXPECT_NE(first.counters[0], first.counters[1]);
    EXPECT_EQ(number(rulesOf({"tcp", "tcp"}), &first).numbered.counters, first.counters);
}

TEST(Numbering, AMapThatIsTooSmallIsCarriedOver) {
    const auto first = number(rulesOf({"tcp", "udp"}), nullptr).numbered;
    std::vector<std::string> many;
    for (int i = 0; i < 40; ++i)
        many.push_back("port " + std::to_string(i));
    many.push_back("udp");
    const auto next = number(rulesOf(many), &first);
    EXPECT_TRUE(next.fresh);
    EXPECT_GE(next.numbered.capacity, 2U * 41 + 2);
    const std::vector<std::pair<std::uint32_t, std::uint32_t>> carried{{0, 0}, {1, 1}, {3, 42}};
    EXPECT_EQ(next.carried, carried);
}

TEST(Numbering, IsReadBackFromARecord) {
    const auto first = number(rulesOf({"tcp", "udp port 53"}), nullptr).numbered;
    EXPECT_EQ(parseNumbered(numberedText(first)), first);
    EXPECT_FALSE(parseNumbered(""));
    EXPECT_FALSE(parseNumbered("16 2\n" + rulesText(first.rules)));    // a counter too few
    EXPECT_FALSE(parseNumbered("16 2 99\n" + rulesText(first.rules))); // beyond the map
}

} // namespace filterd::packet
