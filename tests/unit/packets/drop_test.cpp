// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// A report of the kernel becomes a drop that people can read.

#include "core/drops/drop.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes left, const Bytes& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kHopByHop = 0;

const Bytes kPorts{0xc8, 0x22, 0, 22}; // 51234 to 22

Bytes ipv4(std::uint8_t protocol, const Bytes& options = {}, std::uint8_t fragment = 0) {
    const auto words = static_cast<std::uint8_t>(5 + options.size() / 4);
    return Bytes{static_cast<std::uint8_t>(0x40 | words), 0, 0, 60, 0, 0, 0, fragment, 64, protocol, 0, 0} +
           Bytes{192, 0, 2, 7} + Bytes{192, 0, 2, 1} + options + kPorts;
}

Bytes ipv6(std::uint8_t next, const Bytes& rest) {
    Bytes address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return Bytes{0x60, 0, 0, 0, 0, 4, next, 64} + address + address + rest;
}

Drop dropOf(std::uint16_t etherType, Bytes packet) {
    DropReport report;
    report.bootTime = 5'000'999;
    report.cgroup = {4711};
    report.length = 60;
    report.protocol = etherType;
    report.packet = std::move(packet);
    return decode(report, {"nginx.service", "port@443"});
}

constexpr packet::Ports kBoth{51234, 22};

TEST(Drop, TellsWhoTalksToWhom) {
    const auto drop = dropOf(0x0800, ipv4(kTcp));
    EXPECT_EQ(drop.bootTime, 5'000U);
    EXPECT_EQ(drop.ports, kBoth);
    EXPECT_EQ(
        summaryOf(drop),
        "nginx.service: ingress: filter 'port@443' dropped tcp 192.0.2.7:51234 -> 192.0.2.1:22, 60 bytes");
}

TEST(Drop, NamesProtocols) {
    const std::pair<std::uint8_t, const char*> names[] = {{6, "tcp"},  {17, "udp"},   {132, "sctp"},
                                                          {1, "icmp"}, {58, "icmp6"}, {47, "47"}};
    for (const auto& [number, name] : names)
        EXPECT_EQ(dropOf(0x0800, ipv4(number)).protocol, name);
    EXPECT_TRUE(dropOf(0x0800, ipv4(132)).ports);
    EXPECT_FALSE(dropOf(0x0800, ipv4(1)).ports);
}

TEST(Drop, FindsThePortsBehindOptionsAndExtensionHeaders) {
    EXPECT_EQ(dropOf(0x0800, ipv4(kUdp, Bytes(8))).ports, kBoth);
    EXPECT_EQ(dropOf(0x86dd, ipv6(kUdp, kPorts)).ports, kBoth);
    const Bytes hopByHop = Bytes{kUdp, 1} + Bytes(14);
    const auto behind = dropOf(0x86dd, ipv6(kHopByHop, hopByHop + kPorts));
    EXPECT_EQ(behind.protocol, "udp");
    EXPECT_EQ(behind.ports, kBoth);
    const Bytes first{kTcp, 0, 0, 1, 0, 0, 0, 0};
    EXPECT_EQ(dropOf(0x86dd, ipv6(kFragment, first + kPorts)).ports, kBoth);
}

TEST(Drop, HasNoPortsInALaterFragment) {
    const auto four = dropOf(0x0800, ipv4(kUdp, {}, 1));
    EXPECT_EQ(four.protocol, "udp");
    EXPECT_FALSE(four.ports);
    const Bytes later{kTcp, 0, 0, 9, 0, 0, 0, 0};
    const auto six = dropOf(0x86dd, ipv6(kFragment, later + kPorts));
    EXPECT_EQ(six.protocol, "tcp");
    EXPECT_FALSE(six.ports);
    EXPECT_EQ(six.source, "2001:db8::1");
}

TEST(Drop, ReadsNoByteThatIsNotThere) {
    const Bytes hopByHop = Bytes{kUdp, 1} + Bytes(14);
    const std::pair<std::uint16_t, Bytes> whole[] = {
        {0x0800, ipv4(kTcp)},
        {0x0800, ipv4(kTcp, Bytes(40))},
        {0x86dd, ipv6(kHopByHop, hopByHop + kPorts)},
        {0x86dd, ipv6(51, Bytes(255, 0xff))}, // an extension header longer than the packet
    };
    for (const auto& [type, packet] : whole)
        for (std::size_t size = 0; size <= packet.size(); ++size) {
            const auto drop = dropOf(type, Bytes(packet.begin(), packet.begin() + static_cast<long>(size)));
            EXPECT_EQ(drop.protocol.empty(), size < (type == 0x0800 ? 20U : 40U)) << size;
            EXPECT_FALSE(summaryOf(drop).empty());
        }
    EXPECT_EQ(summaryOf(dropOf(0x0806, Bytes(28))),
              "nginx.service: ingress: filter 'port@443' dropped a packet that cannot be read, 60 bytes");
}

TEST(Drop, SaysWhatHasHappened) {
    auto drop = dropOf(0x0800, ipv4(kTcp));
    drop.logOnly = true;
    EXPECT_EQ(whoDropped(drop), "nginx.service: ingress: filter 'port@443' would have dropped");
    drop.logOnly = false;
    drop.origin.filter.clear();
    EXPECT_EQ(whoDropped(drop), "nginx.service: ingress: held, dropped");
    drop.origin.unit.clear();
    EXPECT_EQ(whoDropped(drop), "cgroup 4711: ingress: held, dropped");
}

} // namespace
} // namespace filterd
