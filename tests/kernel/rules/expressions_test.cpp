// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Real expressions, expressions/*.txt: each of them loads, and judges packets as libpcap's own program does
// without its optimiser, which is wrong for some: packets that are made up, and captures/real.pcap, those of
// real programs.

#include "edge/pcap/capture_file.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "loaded_rules.hpp"
#include "tests/kernel/packets/libpcap_filter.hpp"
#include "tests/kernel/packets/packet_generator.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <span>

namespace filterd::test {

namespace {

using packet::Verdict;

constexpr unsigned kPackets = 60;

std::vector<std::string> expressionsIn(const std::string& name) {
    std::ifstream file(std::string(FILTERD_EXPRESSIONS) + "/" + name);
    std::vector<std::string> expressions;
    for (std::string line; std::getline(file, line);)
        if (!line.empty() && !line.starts_with('#'))
            expressions.push_back(line);
    return expressions;
}

std::vector<Packet> packets(unsigned seed) {
    PacketGenerator random(seed);
    std::vector<Packet> made;
    for (unsigned i = 0; i < kPackets; ++i)
        made.push_back(random.next());
    return made;
}

// As they stand in the file.
std::vector<Packet> capturedPackets() {
    auto file = CaptureFile::open(FILTERD_CAPTURES "/real.pcap");
    EXPECT_TRUE(file) << file.error().message;
    std::vector<Packet> packets;
    while (file) {
        const auto frame = file->next();
        EXPECT_TRUE(frame) << frame.error().message;
        if (!frame || !*frame)
            break;
        const auto bytes = (*frame)->bytes;
        Packet packet;
        for (const std::byte byte : bytes)
            packet.bytes.push_back(static_cast<std::uint8_t>(byte));
        packet.etherType = packet.bytes[0] >> 4 == 4 ? 0x0800 : 0x86dd;
        packets.push_back(std::move(packet));
    }
    return packets;
}

struct Tally {
    unsigned expressions = 0;
    unsigned packets = 0;
    unsigned matched = 0;
    unsigned hidden = 0;
};

// Compares with libpcap itself for packets that can be judged; with the model for those that hide a part.
void compare(const std::string& expression, std::span<const Packet> packets, Tally& tally) {
    const auto program = libpcapProgram(expression);
    ASSERT_FALSE(program.empty()) << "libpcap refuses " << expression;
    const auto rules = rulesFrom({{Verdict::Allow, expression}}, Verdict::Deny, Verdict::Deny);
    ASSERT_EQ(rules.rules.size(), 1U) << expression;
    LoadedRules loaded(rules, tally.expressions % 3 == 0);
    ASSERT_EQ(loaded.error(), "") << expression;
    for (const auto& packet : packets) {
        const Decided decided = judge(rules, packet);
        ASSERT_EQ(loaded.run(packet), decided.verdict) << expression << "\n" << hex(packet);
        const bool agrees = (decided.verdict == Verdict::Allow) == libpcapMatches(program, packet.bytes);
        ASSERT_TRUE(agrees || decided.hidden) << expression << "\n" << hex(packet);
        ++tally.packets;
        tally.matched += decided.verdict == Verdict::Allow ? 1 : 0;
        tally.hidden += decided.hidden ? 1 : 0;
    }
    ++tally.expressions;
}

} // namespace

class ExpressionFiles : public testing::TestWithParam<const char*> {};

TEST_P(ExpressionFiles, LoadAndAgreeWithLibpcap) {
    const auto expressions = expressionsIn(GetParam());
    ASSERT_GT(expressions.size(), 400U);
    const auto captured = capturedPackets();
    ASSERT_GT(captured.size(), 250U);
    Tally tally;
    for (std::size_t i = 0; i < expressions.size() && !HasFatalFailure(); ++i) {
        auto together = packets(static_cast<unsigned>(i) % 16);
        together.insert(together.end(), captured.begin(), captured.end());
        compare(expressions[i], together, tally);
    }
    std::cout << tally.expressions << " expressions, each with " << kPackets
              << " packets that are made up and " << captured.size() << " captured ones: " << tally.matched
              << " matches, " << tally.hidden << " partly hidden\n";
    EXPECT_GT(tally.matched, tally.packets / 10);
}

// libpcap's optimiser made a program of it that matched this datagram.
TEST(Expressions, AShortDatagramToAnotherPortDoesNotMatch) {
    const auto rules =
        rulesFrom({{Verdict::Allow, "(dst port 22 and less 100) or (src net 127.0.0.0/8 and greater 100)"}},
                  Verdict::Deny, Verdict::Deny);
    Packet packet{0x0800, {0x45, 0, 0,   38, 0, 0, 0x40, 0,    64, 17,  0, 0,  127, 0,
                           0,    1, 127, 0,  0, 1, 0xc3, 0x50, 12, 234, 0, 18, 0,   0}};
    packet.bytes.resize(38);
    for (const bool small : {false, true})
        EXPECT_EQ(LoadedRules(rules, small).run(packet), Verdict::Deny);
}

INSTANTIATE_TEST_SUITE_P(Each, ExpressionFiles, testing::Values("written.txt", "generated.txt"),
                         [](const auto& instance) {
                             const std::string name = instance.param;
                             return name.substr(0, name.find('.'));
                         });

} // namespace filterd::test
