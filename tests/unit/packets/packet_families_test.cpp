// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Rules that say nothing of IPv6, told by their words.

#include "core/packet_rules/families.hpp"

#include <gtest/gtest.h>

namespace filterd::packet {

TEST(Families, BytesOfATransportAndIcmpAreOfIpv4) {
    for (const char* silent :
         {"tcp[tcpflags] & tcp-syn != 0", "tcp[13] & 2 != 0", "udp[8:4] = 0", "icmp",
          "icmp[icmptype] = icmp-echo", "sctp[12] = 1", "(tcp[12] & 0xf0) >> 2 > 20",
          "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", "icmp || (udp && dst port 53)",
          "tcp port 80 and tcp[13] & 8 != 0", "not port 22 and icmp", "((icmp))",
          "udp port 53 or tcp[13] = 2", "port 53 and udp[10] & 0x80 = 0"})
        EXPECT_TRUE(isSilentAboutIpv6(silent)) << silent;
}

TEST(Families, WhoSaysIpv4MeansIt) {
    for (const char* said :
         {"ip and tcp[13] & 2 != 0", "tcp[13] & 2 != 0 and ip", "host 10.0.0.1 and icmp",
          "icmp and src 10.0.0.1", "net 10 and tcp[13] = 2", "(icmp or udp port 53) and dst net 10.0.0.0/8",
          "ip[9] = 1 and icmp[0] = 8", "ip proto \\tcp and tcp[13] = 2"})
        EXPECT_FALSE(isSilentAboutIpv6(said)) << said;
}

TEST(Families, WhoSaysWhatIpv6GetsIsNotSilent) {
    for (const char* said : {"icmp or icmp6", "tcp[13] & 2 != 0 or (ip6 proto 6 and ip6[53] & 2 != 0)",
                             "not icmp", "not (tcp[13] & 2 != 0)", "! icmp", "icmp || icmp6 || udp port 53"})
        EXPECT_FALSE(isSilentAboutIpv6(said)) << said;
}

TEST(Families, OtherRulesJudgeBoth) {
    for (const char* both : {"tcp port 80", "udp", "port 53 or 80", "tcp", "host 2001:db8::1", "ip6[6] = 44",
                             "less 100", "host 10.0.0.1", "icmp6", "net 10.0.0.0/8 or port 22", "",
                             "proto 47", ")", "((", "tcp[", "icmp6[0] = 128"})
        EXPECT_EQ(isSilentAboutIpv6(both), std::string_view(both) == "tcp[") << both;
}

} // namespace filterd::packet
