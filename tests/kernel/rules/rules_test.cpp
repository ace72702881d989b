// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Rules as the kernel runs them, against what they mean: libpcap's own bpf_filter(), and a model for what it
// cannot judge. FILTERD_RULE_PACKETS packets (50,000), from the seed FILTERD_RULE_SEED (1).

#include "edge/pcap/pcap_expressions.hpp"
#include "loaded_rules.hpp"
#include "tests/kernel/packets/packet_generator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace filterd::test {

namespace {

using packet::RuleCounter;
using packet::RulesInput;
using packet::Verdict;

std::uint64_t fromEnvironment(const char* name, std::uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

Verdict coin(PacketGenerator& random) { return random.oneIn(2) ? Verdict::Allow : Verdict::Deny; }

// Random rules; those that libpcap refuses because they match no packet at all are made anew.
RuleTexts randomRules(PacketGenerator& random) {
    PcapExpressions expressions;
    RuleTexts texts;
    const unsigned count = random.oneIn(8) ? 12 + random.below(30) : 1 + random.below(6);
    while (texts.size() < count) {
        std::string text = random.expression();
        const auto compiled = expressions.compile(text, 1);
        if (compiled)
            texts.emplace_back(coin(random), std::move(text));
        else
            EXPECT_NE(compiled.error().message.find("rejects all packets"), std::string::npos)
                << text << ": " << compiled.error().message;
    }
    return texts;
}

struct Tally {
    std::uint64_t packets = 0;
    std::uint64_t hidden = 0;
    std::uint64_t unparsable = 0;
    std::uint64_t matched = 0;
    std::uint64_t sets = 0;
    std::size_t largest = 0;
};

void compare(const RuleTexts& texts, PacketGenerator& random, unsigned packets, bool small, Tally& tally) {
    const RulesInput rules = rulesFrom(texts, coin(random), coin(random));
    LoadedRules loaded(rules, small);
    ASSERT_EQ(loaded.error(), "") << describe(texts);
    std::vector<RuleCounter> expected(rules.rules.size() + packet::kFirstRule);
    for (unsigned i = 0; i < packets; ++i) {
        const Packet packet = random.next();
        const Decided decided = judge(rules, packet);
        ASSERT_EQ(loaded.run(packet), decided.verdict)
            << "decided by " << decided.by << (decided.hidden ? ", hidden" : "") << "\n"
            << hex(packet) << "\n"
            << describe(texts);
        ++expected[decided.by].packets;
        expected[decided.by].bytes += packet.bytes.size();
        tally.hidden += decided.hidden ? 1 : 0;
        tally.unparsable += decided.by == packet::kByUnparsable ? 1 : 0;
        tally.matched += decided.by >= packet::kFirstRule ? 1 : 0;
    }
    tally.packets += packets;
    tally.largest = std::max(tally.largest, loaded.size());
    ++tally.sets;
    for (std::uint32_t by = 0; by < expected.size(); ++by)
        ASSERT_EQ(loaded.counter(by), expected[by]) << "decided by " << by << "\n" << describe(texts);
}

} // namespace

void PrintTo(const RuleCounter& counter, std::ostream* out) {
    *out << counter.packets << " packets, " << counter.bytes << " bytes";
}

TEST(Rules, AgreeWithLibpcapOnGeneratedPackets) {
    const std::uint64_t packets = fromEnvironment("FILTERD_RULE_PACKETS", 50'000);
    PacketGenerator random(fromEnvironment("FILTERD_RULE_SEED", 1));
    Tally tally;
    while (tally.packets < packets && !HasFatalFailure())
        compare(randomRules(random), random, 500, random.oneIn(4), tally);
    std::cout << tally.packets << " packets through " << tally.sets << " sets of rules: " << tally.matched
              << " matched, " << tally.hidden << " partly hidden, " << tally.unparsable
              << " unparsable; the largest program has " << tally.largest << " instructions\n";
    EXPECT_GT(tally.matched, packets / 10);
    EXPECT_GT(tally.unparsable, packets / 100);
}

} // namespace filterd::test
