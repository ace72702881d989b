// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What is said of rules that do not do what they look like. Which expressions match no packet is tested with
// libpcap, in pcap/.

#include "core/packet_rules/rule_notes.hpp"
#include "core/packet_rules/slips.hpp"
#include "tests/shared/fake_expressions.hpp"

#include <gtest/gtest.h>

namespace filterd::packet {

namespace {

class RuleNotesTest : public testing::Test {
  protected:
    std::vector<std::string> about(const std::vector<PacketRule>& rules) {
        std::vector<std::string> texts;
        for (const auto& note : notes.about({.rules = rules}))
            texts.push_back(std::to_string(note.rule) + ": " + note.text);
        return texts;
    }

    test::FakeExpressions expressions;
    CompiledRuleNotes notes{expressions};
};

bool begins(const std::string& text, const std::string& beginning) { return text.starts_with(beginning); }

} // namespace

TEST_F(RuleNotesTest, IcmpBesideIcmp6IsMeantForIpv4) {
    EXPECT_EQ(about({{Verdict::Allow, "icmp"}, {Verdict::Allow, "udp"}}).size(), 1U);
    EXPECT_TRUE(about({{Verdict::Allow, "icmp"}, {Verdict::Allow, "icmp6"}}).empty());
    EXPECT_TRUE(about({{Verdict::Allow, "icmp[0] = 8"}, {Verdict::Deny, "icmp6 and less 100"}}).empty());
    EXPECT_EQ(about({{Verdict::Allow, "tcp[13] = 2"}, {Verdict::Allow, "icmp6"}}).size(), 1U);
}

TEST_F(RuleNotesTest, RulesThatOnlyAllowWhatIsAllowedAnywayAreNamed) {
    const std::vector<PacketRule> rules{{Verdict::Allow, "udp"}, {Verdict::Allow, "tcp port 80"}};
    const auto told = notes.about({.rules = rules, .byDefault = Verdict::Allow});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told.front().text.find("no rule denies, and Default=allow"), std::string::npos);
    EXPECT_TRUE(notes.about({.rules = rules}).empty());
    EXPECT_TRUE(
        notes.about({.rules = {rules.front(), {Verdict::Deny, "tcp port 80"}}, .byDefault = Verdict::Allow})
            .empty());
}

TEST_F(RuleNotesTest, NothingIsSaidOfOrdinaryRules) {
    EXPECT_TRUE(about({{Verdict::Allow, "tcp port 80"}, {Verdict::Deny, "udp"}}).empty());
}

TEST_F(RuleNotesTest, NamesTheRuleThatIsSilentAboutIpv6) {
    const auto told = about({{Verdict::Allow, "tcp port 80"}, {Verdict::Deny, "tcp[13] = 2"}});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(begins(told[0], "2: rule 2 'deny tcp[13] = 2' says nothing of IPv6")) << told[0];
}

TEST_F(RuleNotesTest, NamesTheRuleThatNoPacketMatches) {
    const auto told = about({{Verdict::Allow, "udp"}, {Verdict::Deny, "never"}, {Verdict::Deny, "broken"}});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(begins(told[0], "2: rule 2 'deny never': no packet matches it")) << told[0];
}

TEST_F(RuleNotesTest, NamesWhatARuleForAllPacketsLeavesNothingTo) {
    const auto told = about({{Verdict::Deny, "udp"},
                             {Verdict::Allow, "always"},
                             {Verdict::Deny, "never"},
                             {Verdict::Deny, "tcp"}});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(begins(told[0], "3: rule 3 'deny never' and those behind it are never reached: rule 2 'allow "
                                "always' matches every packet"))
        << told[0];
    EXPECT_TRUE(about({{Verdict::Deny, "udp"}, {Verdict::Allow, "always"}}).empty()) << "the last one may";
}

TEST_F(RuleNotesTest, NamesTheRuleThatAsksWhatAnEarlierOneHasAsked) {
    const auto told = about({{Verdict::Allow, "udp"}, {Verdict::Allow, "tcp"}, {Verdict::Deny, "udp"}});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(begins(told[0], "3: rule 3 'deny udp' never decides: rule 1 asks the same")) << told[0];
}

TEST_F(RuleNotesTest, NamesWhatMeansSomethingElse) {
    const auto told = about({{Verdict::Deny, "src net 10.0.0.0"}});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(
        begins(told[0], "1: rule 1 'deny src net 10.0.0.0' takes 'net 10.0.0.0' for that one address"))
        << told[0];
}

TEST(Slips, WhatIsLegalAndLooksLikeSomethingElse) {
    for (const char* slip :
         {"net 10.0.0.0", "src net 192.168.1.0 and tcp", "net 10.0.0.0/8 or 172.16.0.0",
          "dst net 2001:db8::", "tcp or udp port 53", "tcp || udp port 53", "udp or tcp dst port 80",
          "icmp or tcp or udp portrange 1-9", "(tcp or udp port 53)", "not port 22 or 80", "! port 22 || 80",
          "not tcp dst port 22 or 80", "not host 10.0.0.1 or 10.0.0.2",
          "tcp and not net 10.0.0.0/8 or 192.168.0.0/16"})
        EXPECT_TRUE(slipIn(slip)) << slip;
}

TEST(Slips, ARangeOfNextHeadersAsksForTheFirstAlone) {
    for (const char* range : {"ip6[6] > 50", "ip6[6] <= 60", "udp or ip6[6] >= 43"})
        EXPECT_TRUE(slipIn(range)) << range;
    for (const char* fine : {"ip6[6] = 60", "ip6[7] > 1", "ip6[6:2] > 5", "ip[8] > 5"})
        EXPECT_FALSE(slipIn(fine)) << fine;
}

TEST(Slips, BytesOfALinkLayerAreThoseOfTheIpHeader) {
    for (const std::string link : {"ether", "link", "ppp", "slip", "fddi", "tr", "wlan"})
        for (const auto& expression : {"tcp and " + link + "[0] = 69", "not (" + link + " [12:2] = 0x800)"}) {
            const auto slip = slipIn(expression);
            ASSERT_TRUE(slip) << expression;
            EXPECT_TRUE(slip->starts_with("reads '" + link + "[…]' from the IP header on")) << *slip;
        }
    EXPECT_FALSE(slipIn("ip[0] = 69"));
}

TEST(Slips, WhoShowsWhatIsMeantIsNotTold) {
    for (const char* meant : {"net 10",
                              "net 192.168.1",
                              "net 10.0.0.0/8",
                              "net 10.0.0.0 mask 255.0.0.0",
                              "host 10.0.0.0",
                              "10.0.0.0",
                              "net 2001:db8::/32",
                              "host 2001:db8::",
                              "tcp port 53 or udp port 53",
                              "(tcp) or udp port 53",
                              "tcp or (udp port 53)",
                              "port 53 and (tcp or udp)",
                              "tcp or udp",
                              "not (port 22 or 80)",
                              "not port 22 and not port 80",
                              "not port 22 or port 80",
                              "(not port 22) or port 80",
                              "port 22 or 80",
                              "ip proto 6 or tcp port 53",
                              "not tcp or udp",
                              "tcp[0] != 5 or udp",
                              ""})
        EXPECT_FALSE(slipIn(meant)) << meant;
}

TEST_F(RuleNotesTest, ManyOfAKindAreANumber) {
    const auto told = about(std::vector<PacketRule>(101, {Verdict::Allow, "udp"}));
    ASSERT_EQ(told.size(), 17U);
    EXPECT_EQ(told.back(), "101: and 84 more rules, up to rule 101, ask what an earlier one has asked");
}

TEST_F(RuleNotesTest, LongRulesAreNamedByTheirBeginning) {
    const std::string list = "port 1 or " + std::string(kMaxExpression - 11, '2');
    const auto told = notes.about(
        {.rules = {{Verdict::Allow, list + "1"}, {Verdict::Deny, list + "3"}, {Verdict::Deny, list + "1"}}});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(begins(told[0].text, "rule 3 'deny port 1 or 222")) << told[0].text;
    EXPECT_LT(told[0].text.size(), 250U);
}

TEST_F(RuleNotesTest, CompilesEachExpressionOnce) {
    const std::vector<PacketRule> rules{{Verdict::Allow, "udp"}, {Verdict::Deny, "never"}};
    EXPECT_EQ(about(rules), about(rules));
    EXPECT_EQ(expressions.compiled, 2U);
}

} // namespace filterd::packet
