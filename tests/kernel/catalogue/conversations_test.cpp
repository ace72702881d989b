// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Which packets the filter `established` takes for answers: those that no socket stands for, run one by one.
// What sockets stand for is in conversation_sockets_test.cpp.

#include "carriers.hpp"
#include "loaded_filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace filterd::test {

namespace {

using namespace std::chrono_literals;

constexpr Conditions kIn{.ingress = true};
constexpr Conditions kOut{.ingress = false};

class Conversations : public ::testing::Test {
  protected:
    [[nodiscard]] bool leaves(const Packet& packet) const { return established_.run(packet, kOut).passes; }
    [[nodiscard]] bool enters(const Packet& packet) const { return established_.run(packet, kIn).passes; }
    [[nodiscard]] const Loaded& established() const { return established_; }

    // Refused, and counted as what belongs to no conversation.
    void expectRefused(const Packet& packet) const {
        const auto before = established_.count("refused_packets");
        EXPECT_FALSE(enters(packet));
        EXPECT_EQ(established_.count("refused_packets"), before + 1);
    }
    void expectUnparsable(const Packet& packet) const {
        const auto before = established_.count("unparsable_packets");
        EXPECT_FALSE(enters(packet));
        established_.set("unparsable", "allow");
        EXPECT_TRUE(enters(packet));
        established_.set("unparsable", "deny");
        EXPECT_EQ(established_.count("unparsable_packets"), before + 2);
    }

  private:
    Loaded established_{"established"};
};

Bytes echo(std::uint8_t type, unsigned id) {
    Bytes bytes{type, 0, 0, 0};
    put16(bytes, id);
    put16(bytes, 1);
    return bytes;
}

Bytes errorAbout(std::uint8_t type, const Packet& packet) {
    return Bytes{type, 0, 0, 0, 0, 0, 0, 0} + packet.bytes;
}

Packet errorFor(const Carrier& carrier, const Packet& quoted) {
    const bool six = carrier.etherType == kIp6;
    return carrier.carry(six ? kIcmp6 : kIcmp, errorAbout(six ? 3 : 11, quoted), true);
}

Packet fourTo(std::array<std::uint8_t, 4> from, std::array<std::uint8_t, 4> to, const Bytes& rest) {
    Packet packet{kIp4, ip4(kUdp, 0, 0, false, rest)};
    std::copy(from.begin(), from.end(), packet.bytes.begin() + 12);
    std::copy(to.begin(), to.end(), packet.bytes.begin() + 16);
    return packet;
}

Packet sixTo(std::uint8_t to, const Bytes& rest) {
    Packet packet{kIp6, ip6(kUdp, false, rest)};
    packet.bytes[24] = to;
    return packet;
}

} // namespace

TEST_F(Conversations, AnEchoIsAnsweredOnceItIsAskedFor) {
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        const bool six = carrier.etherType == kIp6;
        const std::uint8_t protocol = six ? kIcmp6 : kIcmp;
        const std::uint8_t request = six ? 128 : 8;
        const std::uint8_t reply = six ? 129 : 0;
        const auto id = static_cast<unsigned>(&carrier - carriers().data()) + 1;
        expectRefused(carrier.carry(protocol, echo(reply, id), true));
        EXPECT_TRUE(leaves(carrier.carry(protocol, echo(request, id))));
        EXPECT_TRUE(enters(carrier.carry(protocol, echo(reply, id), true)));
        expectRefused(carrier.carry(protocol, echo(reply, id + 100), true));
        expectRefused(carrier.carry(protocol, echo(request, id), true));
        expectUnparsable(carrier.carry(protocol, {reply}, true));
    }
}

// ping, mtr and traceroute read these from raw sockets.
TEST_F(Conversations, ErrorsAboutOnesOwnPacketsComeIn) {
    for (const auto& carrier : carriers())
        for (const auto& inner : carriers()) {
            if (inner.etherType != carrier.etherType)
                continue;
            SCOPED_TRACE(std::string(carrier.name) + " with " + inner.name);
            const auto port = 1000 + static_cast<unsigned>(&carrier - carriers().data()) * 20 +
                              static_cast<unsigned>(&inner - carriers().data());
            const bool six = carrier.etherType == kIp6;
            const std::vector<Packet> sent{
                inner.carry(kUdp, udp(port, 33434)),
                inner.carry(kTcp, tcp(port, 80, kSyn)),
                inner.carry(six ? kIcmp6 : kIcmp, echo(six ? 128 : 8, port)),
            };
            for (const auto& packet : sent) {
                expectRefused(errorFor(carrier, packet));
                EXPECT_TRUE(leaves(packet));
                EXPECT_TRUE(enters(errorFor(carrier, packet)));
            }
            expectRefused(errorFor(carrier, inner.carry(kUdp, udp(port, 33435))));
            expectRefused(errorFor(carrier, inner.carry(kUdp, udp(33434, port), true)));
        }
}

TEST_F(Conversations, ErrorsThatQuoteTooLittleCannotBeTold) {
    for (const auto& carrier : {carriers()[0], carriers()[3]}) {
        SCOPED_TRACE(carrier.name);
        const auto sent = carrier.carry(kUdp, udp(1000, 33434));
        EXPECT_TRUE(leaves(sent));
        const auto headers = carrier.carry(kUdp, {}).bytes.size();
        for (std::size_t length = 0; length < headers + 4; ++length) {
            auto cut = sent;
            cut.bytes.resize(length);
            expectUnparsable(errorFor(carrier, cut));
        }
        for (const auto& other : hiding())
            if (other.etherType == carrier.etherType)
                expectUnparsable(errorFor(carrier, other.carry(kUdp, udp(1000, 33434))));
    }
}

TEST_F(Conversations, OtherIcmpIsNoAnswer) {
    const auto sent = carriers()[0].carry(kUdp, udp(1000, 33434));
    EXPECT_TRUE(leaves(sent));
    constexpr std::uint8_t kRedirect = 5;
    expectRefused(carriers()[0].carry(kIcmp, errorAbout(kRedirect, sent), true));
    expectRefused(carriers()[3].carry(kIcmp6, errorAbout(134, sent), true));
}

TEST_F(Conversations, AQuestionToManyIsAnsweredByAnybody) {
    const std::array<std::uint8_t, 4> any{0, 0, 0, 0};
    struct Case {
        const char* name;
        Packet question;
        unsigned port;
    };
    const std::vector<Case> cases{
        {"DHCP", fourTo(any, {255, 255, 255, 255}, udp(68, 67)), 68},
        {"mDNS", fourTo({192, 0, 2, 1}, {224, 0, 0, 251}, udp(5353, 5353)), 5353},
        {"SSDP", fourTo({192, 0, 2, 1}, {239, 255, 255, 250}, udp(40000, 1900)), 40000},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.name);
        const auto answer = fourTo({198, 51, 100, 7}, {192, 0, 2, 1}, udp(50000, one.port));
        expectRefused(answer);
        EXPECT_TRUE(leaves(one.question));
        EXPECT_TRUE(enters(answer));
        EXPECT_TRUE(enters(fourTo({192, 0, 2, 9}, {224, 0, 0, 251}, udp(5353, one.port))));
        expectRefused(fourTo({198, 51, 100, 7}, {192, 0, 2, 1}, udp(50000, one.port + 1)));
        expectRefused(Packet{kIp4, ip4(kTcp, 0, 0, true, tcp(50000, one.port, kAck))});
    }
    EXPECT_TRUE(leaves(sixTo(0xff, udp(546, 547))));
    EXPECT_TRUE(enters(sixTo(0x20, udp(547, 546))));
    expectRefused(sixTo(0x20, udp(547, 545)));
}

TEST_F(Conversations, AnAddressOfManyIsThoseThatAreListed) {
    const auto question = fourTo({192, 0, 2, 1}, {192, 0, 2, 255}, udp(137, 137));
    const auto answer = fourTo({192, 0, 2, 7}, {192, 0, 2, 1}, udp(137, 137));
    EXPECT_TRUE(leaves(question));
    expectRefused(answer);
    established().set("broadcasts", "192.0.2.255");
    const auto again = fourTo({192, 0, 2, 2}, {192, 0, 2, 255}, udp(138, 137));
    EXPECT_TRUE(leaves(again));
    EXPECT_TRUE(enters(fourTo({192, 0, 2, 7}, {192, 0, 2, 2}, udp(137, 138))));
}

TEST_F(Conversations, SilenceEndsThem) {
    established().set("other_timeout", "3");
    established().set("question_timeout", "1");
    const auto sent = carriers()[0].carry(kUdp, udp(1000, 53));
    const auto answer = carriers()[0].carry(kUdp, udp(53, 1000), true);
    const auto question = fourTo({192, 0, 2, 1}, {224, 0, 0, 251}, udp(5353, 5353));
    const auto anybody = fourTo({198, 51, 100, 7}, {192, 0, 2, 1}, udp(5353, 5353));
    EXPECT_TRUE(leaves(sent));
    EXPECT_TRUE(leaves(question));
    for (int i = 0; i < 6; ++i) { // each answer keeps the one alive, but not the question
        std::this_thread::sleep_for(600ms);
        EXPECT_TRUE(enters(answer));
    }
    expectRefused(anybody);
    std::this_thread::sleep_for(3100ms);
    expectRefused(answer);
}

TEST_F(Conversations, WhatReplacesTheFilterGoesOnWithThem) {
    const auto sent = carriers()[0].carry(kUdp, udp(1000, 53));
    const auto answer = carriers()[0].carry(kUdp, udp(53, 1000), true);
    EXPECT_TRUE(leaves(sent));
    const Loaded newer("established", established(), {{"other_timeout", Value{std::string("60")}}});
    EXPECT_TRUE(newer.run(answer, kIn).passes);
    const Loaded another("established");
    EXPECT_FALSE(another.run(answer, kIn).passes);
}

TEST_F(Conversations, WhatDoesNotFitIsCountedAndNothingThatLivesIsPushedOut) {
    const auto number = [](unsigned i, bool back) {
        const std::array<std::uint8_t, 4> other{10, static_cast<std::uint8_t>(i >> 16),
                                                static_cast<std::uint8_t>(i >> 8),
                                                static_cast<std::uint8_t>(i)};
        const std::array<std::uint8_t, 4> own{192, 0, 2, 1};
        return back ? fourTo(other, own, udp(53, 1000)) : fourTo(own, other, udp(1000, 53));
    };
    constexpr unsigned kMany = 70'000;
    constexpr unsigned kRoom = 4096 * 8; // half of all
    for (unsigned i = 0; i < kMany; ++i)
        ASSERT_TRUE(leaves(number(i, false)));
    const auto crowded = established().count("crowded_packets");
    unsigned answered = 0;
    for (unsigned i = 0; i < kMany; ++i)
        answered += enters(number(i, true)) ? 1 : 0;
    EXPECT_EQ(answered, kMany - crowded);
    EXPECT_LE(answered, kRoom);
    EXPECT_GT(answered, kRoom * 9 / 10);
    for (unsigned i = 0; i < 4000; ++i) // the first ones had all the room they need
        ASSERT_TRUE(enters(number(i, true))) << i;
}

} // namespace filterd::test
