// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Expressions that no packet matches, those that every packet does, and their neighbours.

#include "core/packet_rules/possible.hpp"
#include "edge/pcap/pcap_expressions.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace filterd::packet {

namespace {

Matches matches(const std::string& expression) {
    const auto program = PcapExpressions().compile(expression, 1);
    EXPECT_TRUE(program) << expression << ": " << program.error().message;
    return program ? matchesOf(*program) : Matches::Some;
}

std::string manyPorts(int count) {
    std::string text = "(port 1";
    for (int port = 2; port <= count; ++port)
        text += " or " + std::to_string(port);
    return text + ")";
}

} // namespace

TEST(Possible, WhatNoPacketMatches) {
    for (const char* never : {"proto 256",
                              "ip proto 300",
                              "ip6 proto 256",
                              "less 0",
                              "less 19",
                              "len < 20",
                              "ip6 and less 39",
                              "greater 600000",
                              "len > 4294967295 - 1",
                              "ip[600000] = 1",
                              "ip[4294967295] = 0",
                              "not ip and not ip6",
                              "not (ip or ip6)",
                              "tcp[13] & 2 = 1",
                              "tcp[tcpflags] & tcp-syn = 1",
                              "tcp[tcpflags] & (tcp-syn|tcp-ack) = 1",
                              "ip[0] & 0xf = 16",
                              "ip[0] >> 4 = 17",
                              "ip[9] = 256",
                              "ip[9] > 255",
                              "tcp[0:2] > 65535",
                              "tcp[0:2] = 65536",
                              "ip[8] % 4 = 4",
                              "ip[8] / 2 > 127",
                              "(ip[0] & 0xf) << 2 = 61",
                              "ip[6:2] & 0x1fff > 0x1fff",
                              "ip[8] + 1 = 257",
                              "ip and ip[0] = 0x65",
                              "ip6 and ip6[0] = 0x45",
                              "greater 100 and proto 256",
                              "udp and ip[8] = 256",
                              "-1 < ip[8]",
                              "greater 100 and less 50",
                              "tcp[0:2] > 90 and not tcp[0:2] > 80",
                              "ip[20] = 1 and less 20",
                              "ip6[6] = 300",
                              "300 = ip6[6]",
                              "src net 10.0.0.0/8 and src net 192.168.0.0/16",
                              "src host 10.0.0.1 and src net 192.168.0.0/16",
                              "src net 10.0.0.0/16 and not src net 10.0.0.0/8",
                              "ip6[6:2] & 0xff00 = 1"})
        EXPECT_EQ(matches(never), Matches::None) << never;
}

TEST(Possible, TheirNeighboursCanMatch) {
    for (const char* some :
         {"src net 10.0.0.0/8 and dst net 192.168.0.0/16", "net 10.0.0.0/8 and net 192.168.0.0/16",
          "src net 10.0.0.0/8 and src net 10.1.0.0/16", "src net 10.0.0.0/8 and not src net 10.1.0.0/16",
          "src net 10.0.0.0/8 or src net 192.168.0.0/16", "src net 2001:db8::/32 and src net 2001:db8:1::/48",
          "proto 255", "ip proto 255", "ip6 proto 255", "less 20", "less 40", "ip6 and less 40",
          "greater 65535", "greater 70000", "ip[70000] = 1", "greater 524280", "ip6 and greater 65535", "ip",
          "ip6", "not ip", "not ip6", "tcp[13] & 2 = 2", "tcp[13] & 3 = 1", "ip[0] & 0xf = 15",
          "ip[0] >> 4 = 4", "ip[9] = 255", "ip[9] > 254", "tcp[0:2] = 65535", "ip[8] % 4 = 3",
          "ip[8] / 2 = 127", "(ip[0] & 0xf) << 2 = 60", "ip[8] + 1 = 256", "ip and ip[0] = 0x44",
          "proto 256 or udp", "not proto 256 and udp", "ip[20] = 1 and greater 21", "tcp and not udp",
          "greater 50 and less 50", "ip[8] - 1 = 254", "ip[8] * 0x10000000 = 0x10000000",
          "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", "udp[4:2] > len - 8",
          // Both are headers of one packet.
          "ip6 proto 43 and ip6 proto 44", "ip6 proto 0 and tcp", "ip6[6] = 60 and ip6[6] = 0", "ah and tcp",
          "tcp and ip6[40] = 17"})
        EXPECT_EQ(matches(some), Matches::Some) << some;
}

TEST(Possible, WhatEveryPacketMatches) {
    for (const char* all : {"ip or ip6", "1 = 1", "greater 0", "greater 20", "len >= 0", "not ip proto 256",
                            "ip6 or not ip6", "ip or ip6 or tcp"})
        EXPECT_EQ(matches(all), Matches::All) << all;
    for (const char* some : {"greater 21", "tcp or udp", "ip or tcp", "less 65535", "not udp",
                             // It looks behind a fragment header, which may be cut off.
                             "not proto 256",
                             // A fragment shows no port.
                             "port 80 or not port 80", "tcp[0] >= 0", "not tcp[13] & 2 = 1"})
        EXPECT_EQ(matches(some), Matches::Some) << some;
}

TEST(Possible, LongExpressionsTakeABoundedTime) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(matches(manyPorts(150) + " and proto 256"), Matches::None);
    EXPECT_EQ(matches(manyPorts(150) + " and less 19"), Matches::None);
    EXPECT_EQ(matches(manyPorts(150)), Matches::Some);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

} // namespace filterd::packet
