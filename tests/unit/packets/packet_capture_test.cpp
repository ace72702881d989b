// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What a capture's link layer holds, and a packet in a few words.

#include "core/packet/capture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace filterd::packet {
namespace {

using CapturedBytes = std::vector<std::byte>;

CapturedBytes bytes(std::initializer_list<int> values) {
    CapturedBytes result;
    for (const int value : values)
        result.push_back(static_cast<std::byte>(value));
    return result;
}

CapturedBytes operator+(CapturedBytes left, const CapturedBytes& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

// UDP from 192.0.2.1:1000 to 192.0.2.2:53, without payload.
CapturedBytes capturedIpv4() {
    return bytes({0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}) +
           bytes({0x03, 0xe8, 0, 53, 0, 8, 0, 0});
}

// TCP's first four bytes, 2001:db8::1 to ::2.
CapturedBytes capturedIpv6() {
    CapturedBytes packet = bytes({0x60, 0, 0, 0, 0, 4, 6, 64});
    packet = std::move(packet) + bytes({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    packet = std::move(packet) + bytes({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
    return packet + bytes({0x01, 0xbb, 0, 80});
}

const CapturedBytes kAddresses(12);

TEST(Capture, FindsThePacketBehindEveryLinkLayer) {
    const auto ethernet = kAddresses + bytes({0x08, 0x00}) + capturedIpv4();
    const auto tagged = kAddresses + bytes({0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x86, 0xdd}) + capturedIpv6();
    const auto cooked = CapturedBytes(14) + bytes({0x08, 0x00}) + capturedIpv4();
    const auto cooked2 = bytes({0x86, 0xdd}) + CapturedBytes(18) + capturedIpv6();
    const auto same = [](const std::optional<IpPacket>& packet, const CapturedBytes& expected, int type) {
        return packet && packet->etherType == type && !packet->cut &&
               std::equal(packet->bytes.begin(), packet->bytes.end(), expected.begin(), expected.end());
    };
    EXPECT_TRUE(same(ipPacketOf(LinkLayer::Ethernet, ethernet), capturedIpv4(), 0x0800));
    EXPECT_TRUE(same(ipPacketOf(LinkLayer::Ethernet, tagged), capturedIpv6(), 0x86dd));
    EXPECT_TRUE(same(ipPacketOf(LinkLayer::LinuxCooked, cooked), capturedIpv4(), 0x0800));
    EXPECT_TRUE(same(ipPacketOf(LinkLayer::LinuxCooked2, cooked2), capturedIpv6(), 0x86dd));
    EXPECT_TRUE(same(ipPacketOf(LinkLayer::RawIp, capturedIpv4()), capturedIpv4(), 0x0800));
    EXPECT_TRUE(same(ipPacketOf(LinkLayer::RawIp, capturedIpv6()), capturedIpv6(), 0x86dd));
}

TEST(Capture, LeavesOutWhatFillsAFrame) {
    const auto padded = kAddresses + bytes({0x08, 0x00}) + capturedIpv4() + CapturedBytes(18);
    EXPECT_EQ(ipPacketOf(LinkLayer::Ethernet, padded)->bytes.size(), capturedIpv4().size());
    const auto padded6 = kAddresses + bytes({0x86, 0xdd}) + capturedIpv6() + CapturedBytes(2);
    EXPECT_EQ(ipPacketOf(LinkLayer::Ethernet, padded6)->bytes.size(), capturedIpv6().size());
}

TEST(Capture, TellsThatAPacketIsCut) {
    auto packet = capturedIpv4();
    packet.resize(24);
    const auto cut = ipPacketOf(LinkLayer::RawIp, packet);
    ASSERT_TRUE(cut);
    EXPECT_TRUE(cut->cut);
    EXPECT_EQ(cut->bytes.size(), 24U);
}

TEST(Capture, FindsNothingInWhatIsNoIp) {
    EXPECT_FALSE(
        ipPacketOf(LinkLayer::Ethernet, kAddresses + bytes({0x08, 0x06}) + CapturedBytes(28))); // ARP
    EXPECT_FALSE(ipPacketOf(LinkLayer::Ethernet, kAddresses + bytes({0x08})));
    EXPECT_FALSE(ipPacketOf(LinkLayer::Ethernet, kAddresses + bytes({0x81, 0x00, 0, 1})));
    EXPECT_FALSE(ipPacketOf(LinkLayer::Ethernet, kAddresses + bytes({0x08, 0x00})));
    EXPECT_FALSE(ipPacketOf(LinkLayer::LinuxCooked, CapturedBytes(15)));
    EXPECT_FALSE(ipPacketOf(LinkLayer::LinuxCooked2, CapturedBytes(19)));
    EXPECT_FALSE(ipPacketOf(LinkLayer::RawIp, bytes({0x55, 0})));
    EXPECT_FALSE(ipPacketOf(LinkLayer::RawIp, {}));
}

TEST(Capture, SaysWhatAPacketIs) {
    EXPECT_EQ(summaryOf({0x0800, capturedIpv4()}), "udp 192.0.2.1:1000 > 192.0.2.2:53");
    EXPECT_EQ(summaryOf({0x86dd, capturedIpv6()}), "tcp [2001:db8::1]:443 > [2001:db8::2]:80");
    auto fragment = capturedIpv4();
    fragment[7] = std::byte{1};
    EXPECT_EQ(summaryOf({0x0800, fragment}), "udp 192.0.2.1 > 192.0.2.2");
    auto ping = capturedIpv4();
    ping[9] = std::byte{1};
    EXPECT_EQ(summaryOf({0x0800, ping}), "icmp 192.0.2.1 > 192.0.2.2");
    ping[9] = std::byte{89};
    EXPECT_EQ(summaryOf({0x0800, ping}), "protocol 89 192.0.2.1 > 192.0.2.2");
}

TEST(Capture, ReadsNoByteThatIsNotThere) {
    for (const auto& whole : {capturedIpv4(), capturedIpv6()})
        for (std::size_t size = 1; size < whole.size(); ++size) {
            const CapturedBytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            const auto packet = ipPacketOf(LinkLayer::RawIp, part);
            ASSERT_EQ(packet.has_value(), size >= (whole[0] == std::byte{0x45} ? 20U : 40U)) << size;
            if (packet) {
                EXPECT_FALSE(summaryOf(*packet).empty());
            }
        }
    auto odd = capturedIpv4();
    for (int length = 0; length < 16; ++length) {
        odd[0] = static_cast<std::byte>(0x40 | length);
        EXPECT_FALSE(summaryOf({0x0800, odd}).empty());
    }
}

} // namespace
} // namespace filterd::packet
