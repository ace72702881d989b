// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Long lists of rules: they load at once, whatever kinds of rules are mixed, and cost a packet little.

#include "loaded_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace filterd::test {

namespace {

using packet::Verdict;

std::string port(unsigned i) { return "udp dst port " + std::to_string(3000 + i); }

std::string prefix(unsigned i) {
    return "dst net 10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24";
}

std::string mixed(unsigned i) {
    const std::string place = std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    switch (i % 4) {
    case 0:
        return "src net 10." + place + ".0/24 and tcp dst port 443";
    case 1:
        return "src host 10." + place + ".7 and udp dst port " + std::to_string(3000 + i);
    case 2:
        return "dst net 172." + std::to_string(16 + i / 250) + "." + std::to_string(i % 250 + 1) + ".0/24";
    default:
        return "udp dst portrange " + std::to_string(10000 + i * 10) + "-" + std::to_string(10005 + i * 10);
    }
}

// A fifth of what the verifier takes, and far less than a second's work for it.
constexpr std::size_t kMostVerified = 200'000;

using Kind = std::string (*)(unsigned);

enum class Allowed { None, First, Last };

RuleTexts listOf(Kind kind, unsigned count, Allowed allowed) {
    RuleTexts texts;
    for (unsigned i = 0; i < count; ++i)
        texts.emplace_back(Verdict::Deny, kind(i));
    if (allowed != Allowed::None)
        texts[allowed == Allowed::First ? 0 : count - 1] = {Verdict::Allow, "udp dst port 2000"};
    return texts;
}

// A datagram from 192.0.2.1 to 192.0.2.2.
Packet datagram(std::uint16_t port, unsigned words = 5) {
    Packet packet{0x0800, std::vector<std::uint8_t>(words * 4 + 8 + 32)};
    auto& bytes = packet.bytes;
    bytes[0] = static_cast<std::uint8_t>(0x40 | words);
    bytes[3] = static_cast<std::uint8_t>(bytes.size());
    bytes[8] = 64;
    bytes[9] = 17;
    const std::uint8_t addresses[]{192, 0, 2, 1, 192, 0, 2, 2};
    std::copy(std::begin(addresses), std::end(addresses), bytes.begin() + 12);
    bytes[words * 4 + 2] = static_cast<std::uint8_t>(port >> 8);
    bytes[words * 4 + 3] = static_cast<std::uint8_t>(port);
    return packet;
}

} // namespace

struct Lists {
    const char* name;
    Kind kind;
    unsigned longest;
};

class RuleLists : public testing::TestWithParam<Lists> {};

TEST_P(RuleLists, LoadAtOnce) {
    const auto& [name, kind, longest] = GetParam();
    for (const unsigned count : {8U, 32U, 128U, 320U, 384U, 512U, longest})
        for (const Allowed allowed : {Allowed::None, Allowed::First, Allowed::Last}) {
            const Verdict byDefault = allowed == Allowed::None ? Verdict::Allow : Verdict::Deny;
            const auto rules = rulesFrom(listOf(kind, count, allowed), byDefault, Verdict::Deny);
            LoadedRules loaded(rules, false);
            ASSERT_EQ(loaded.error(), "") << count << " rules";
            EXPECT_LT(loaded.verified(), kMostVerified) << count << " rules";
            EXPECT_EQ(loaded.run(datagram(2000)), Verdict::Allow) << count << " rules";
            EXPECT_EQ(loaded.run(datagram(2001)), byDefault) << count << " rules";
            std::cout << name << " " << count << ": " << loaded.size() << " instructions, "
                      << loaded.verified() << " verified, " << loaded.cost(datagram(2001), 100'000) << " ns, "
                      << loaded.cost(datagram(2001, 8), 20'000) << " ns with options\n";
        }
}

TEST(RuleList, WhatIsTooLongIsRefusedBeforeTheVerifierSeesIt) {
    LoadedRules loaded(rulesFrom(listOf(&mixed, 1024, Allowed::None), Verdict::Allow, Verdict::Deny), false);
    EXPECT_NE(loaded.error().find("whose jumps reach no further than 32,767"), std::string::npos)
        << loaded.error();
    EXPECT_EQ(loaded.verified(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RuleLists,
                         testing::Values(Lists{"ports", &port, 600}, Lists{"prefixes", &prefix, 1024},
                                         Lists{"mixed", &mixed, 512}),
                         [](const auto& instance) { return instance.param.name; });

} // namespace filterd::test
