// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/families.hpp"
#include "core/packet_rules/possible.hpp"
#include "core/packet_rules/slips.hpp"
#include "edge/pcap/pcap_expressions.hpp"

#include <gtest/gtest.h>

namespace filterd {

namespace {

std::string fault(const std::string& expression) {
    const auto program = PcapExpressions().compile(expression, 1);
    if (program)
        return "compiles";
    EXPECT_EQ(program.error().code, ErrorCode::InvalidArgument);
    return program.error().message;
}

bool begins(const std::string& text, const std::string& beginning) { return text.starts_with(beginning); }

} // namespace

TEST(PcapExpressions, CompilesForPacketsThatBeginWithTheIpHeader) {
    const auto program = PcapExpressions().compile("ip[0] = 0x45", 1);
    ASSERT_TRUE(program) << program.error().message;
    EXPECT_EQ(program->front().code, BPF_LD | BPF_ABS | BPF_B);
    EXPECT_EQ(program->front().k, 0U);
    for (const char* good :
         {"icmp || (udp && dst port 53) || (tcp && dst port 80)", "tcp port http or https or 8080",
          "host 10.0.0.1 and not net 192.168.0.0/16", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
          "ip6 host 2001:db8::1", "ip proto \\tcp", "portrange 1000-2000", "len >= 100 and greater 5",
          "icmp[icmptype] != icmp-echo", "net 10 or net 172.16", "tcp[0:2] == 0x1bb", "udp[4:2] > len - 8",
          "ip[2:2] - ((ip[0] & 0xf) << 2) > 100", "ip[0]-1 = 4", "icmp6[icmp6type] = icmp6-echo",
          "tcp[tcpflags:1] & tcp-ack != 0", "src or dst port domain", "host 1.2.3",
          "port http and ip6 host ::ffff:10.0.0.1"})
        EXPECT_EQ(fault(good), "compiles") << good;
}

TEST(PcapExpressions, NamesTheColumn) {
    EXPECT_TRUE(begins(fault("tcp prt 443"), "column 5: 'prt'")) << fault("tcp prt 443");
    EXPECT_TRUE(begins(fault("tcp port 443 udp"), "column 14: syntax error")) << fault("tcp port 443 udp");
    EXPECT_TRUE(begins(fault("udp and (port 53 or port 54"), "column 9: '('"))
        << fault("udp and (port 53 or port 54");
    EXPECT_TRUE(begins(fault("ip and (tcp port 80 81)"), "column 21: syntax error at '81'"))
        << fault("ip and (tcp port 80 81)");
    std::string ports = "port 1";
    for (int port = 2; port < 150; ++port)
        ports += " or " + std::to_string(port);
    EXPECT_TRUE(begins(fault("(" + ports + " 5)"), "column " + std::to_string(ports.size() + 3) + ": "));
    EXPECT_TRUE(begins(fault("udp udp and " + ports), "column 1: ")) << "not looked for that far";
    EXPECT_TRUE(begins(fault("udp port 70000"), "column 10: ")) << fault("udp port 70000");
    EXPECT_TRUE(begins(fault("udp port nosuchservice"), "column 10: ")) << fault("udp port nosuchservice");
    EXPECT_TRUE(begins(fault("arp"), "column 1: ")) << fault("arp");
}

TEST(PcapExpressions, LooksUpNoNamesOfHosts) {
    EXPECT_TRUE(begins(fault("src host www.example.org"), "column 10: 'www.example.org'"));
    EXPECT_TRUE(begins(fault("tcp and example"), "column 9: 'example'"));
    EXPECT_TRUE(begins(fault("port 80 and net corp"), "column 17: 'corp'"));
    EXPECT_TRUE(begins(fault("host port80.example"), "column 6: 'port80.example'"));
}

// What looks like a number or a constant, and what stands behind a port, is a name to libpcap as well.
TEST(PcapExpressions, LooksUpNoNameInDisguise) {
    for (const std::string name :
         {"\\example", "4.cc", "1.fe", "5bad", "1.2.3.4.5", "5-3", "10.", "0xcafe.de", "tcp-example",
          "icmptypes", "icmp-example.org", "example:1", "fe:example"})
        EXPECT_TRUE(begins(fault("host " + name), "column 6: '" + name + "' is no address")) << name;
    for (const std::string before : {"port 80 and ip ", "port 80 and tcp ", "proto 6 or not src "})
        EXPECT_TRUE(begins(fault(before + "example"), "column " + std::to_string(before.size() + 1)))
            << before;
}

TEST(PcapExpressions, RefusesWhatNoPacketMatches) {
    for (const char* never : {"arp", "pppoes", "pppoes 5 and tcp", "1 = 2", "tcp and udp", "ip and ip6",
                              "iso", "src host 10.0.0.1 and src host 10.0.0.2", "tcp and ip6 and ip"})
        EXPECT_TRUE(begins(fault(never), "column 1: expression rejects all packets"))
            << never << ": " << fault(never);
    for (const char* possible :
         {"not arp", "arp or tcp", "1 = 1", "less 10", "tcp and not udp", "ip proto 256 or udp"})
        EXPECT_EQ(fault(possible), "compiles") << possible;
}

TEST(PcapExpressions, NamesTheWordOfAnotherLinkLayer) {
    EXPECT_TRUE(begins(fault("tcp and mpls 5"), "column 9: ")) << fault("tcp and mpls 5");
    EXPECT_TRUE(begins(fault("vlan 7"), "column 1: ")) << fault("vlan 7");
    EXPECT_TRUE(begins(fault("tcp and ether host 00:11:22:33:44:55"), "column ")) << "the rest is libpcap's";
    for (const char* link :
         {"vlan 7", "mpls", "llc", "ether host 00:11:22:33:44:55", "multicast", "broadcast"})
        EXPECT_TRUE(fault(link).ends_with("; packets in a queue begin with the IP header")) << fault(link);
}

// It takes a byte of the IP header for it, which is told.
TEST(PcapExpressions, BytesOfALinkLayerAreWhatLibpcapTakesThemFor) {
    for (const char* fine : {"link[0] = 0x45", "ether[0:2] & 0xff = 0", "ether proto 0x800",
                             "link proto \\ip6 or udp", "ip[0] = 69"})
        EXPECT_EQ(fault(fine), "compiles") << fine;
}

// What libpcap compiles to "never" is refused alone, and told of where it is a part.
TEST(PcapExpressions, WhatIsBeneathIpIsToldOfWhereItIsAPart) {
    for (const std::string word : {"arp",
                                   "rarp",
                                   "atalk",
                                   "aarp",
                                   "lat",
                                   "sca",
                                   "moprc",
                                   "mopdl",
                                   "iso",
                                   "esis",
                                   "es-is",
                                   "isis",
                                   "is-is",
                                   "clnp",
                                   "l1",
                                   "l2",
                                   "iih",
                                   "lsp",
                                   "snp",
                                   "csnp",
                                   "psnp",
                                   "stp",
                                   "ipx",
                                   "netbeui",
                                   "pppoed",
                                   "pppoes",
                                   "decnet src 1",
                                   "ip",
                                   "ip6",
                                   "tcp",
                                   "udp",
                                   "icmp",
                                   "icmp6",
                                   "sctp",
                                   "igmp",
                                   "igrp",
                                   "pim",
                                   "vrrp",
                                   "carp",
                                   "ah",
                                   "esp",
                                   "ip multicast",
                                   "geneve",
                                   "ether proto 0x800",
                                   "ether proto 2048",
                                   "ether proto 0x86dd",
                                   "link proto \\ip",
                                   "wlan proto \\ip6",
                                   "ether proto 0x806",
                                   "ether proto \\arp",
                                   "ppp proto 0x21",
                                   "ether proto 8"}) {
        const bool isNever = begins(fault(word), "column 1: expression rejects all packets");
        EXPECT_EQ(packet::slipIn("udp or " + word).has_value(), isNever) << word << ": " << fault(word);
    }
}

TEST(PcapExpressions, ATypeInAListIsToldOfByItsName) {
    for (const char* list : {"ether proto 0x800 or 0x806", "ether proto (0x806 or 0x800)",
                             "udp or link proto (0x86dd || 0x806)"}) {
        EXPECT_EQ(fault(list), "compiles") << list;
        const auto slip = packet::slipIn(list);
        ASSERT_TRUE(slip) << list;
        EXPECT_NE(slip->find(" proto 0x806', which no packet"), std::string::npos) << *slip;
    }
    EXPECT_FALSE(packet::slipIn("ether proto (0x800 or 0x86dd) and tcp"));
}

// The optimiser made this one let a datagram of 38 bytes to port 3306 match.
TEST(PcapExpressions, TakesNoProgramOfTheOptimiser) {
    const auto program =
        PcapExpressions().compile("(dst port 22 and less 100) or (src net 127.0.0.0/8 and greater 100)", 1);
    ASSERT_TRUE(program);
    packet::Expressions expressions;
    packet::Decisions decisions;
    const auto rule = packet::readCbpf(*program, expressions, decisions);
    ASSERT_TRUE(rule);
    const auto byte = [&](std::uint32_t offset) { return expressions.load(1, packet::kNoExpr, offset); };
    const auto masked = [&](packet::ExprId value, std::uint32_t mask) {
        return expressions.binary(packet::Op::And, value, expressions.constant(mask));
    };
    const auto header =
        expressions.binary(packet::Op::ShiftLeft, masked(byte(0), 0xf), expressions.constant(2));
    EXPECT_FALSE(packet::canMatch(*rule, expressions, decisions,
                                  {{expressions.length(), 38},
                                   {masked(byte(0), 0xf0), 0x40},
                                   {byte(9), 17},
                                   {masked(expressions.load(4, packet::kNoExpr, 12), 0xff000000), 0x7f000000},
                                   {expressions.load(2, header, 2), 3306}}));
}

TEST(PcapExpressions, SilentAboutIpv6IsWhatMatchesNone) {
    const auto matchesIpv6 = [](const std::string& expression) {
        const auto program = PcapExpressions().compile(expression, 1);
        EXPECT_TRUE(program) << expression;
        packet::Expressions expressions;
        packet::Decisions decisions;
        const auto rule = packet::readCbpf(*program, expressions, decisions);
        const auto version = expressions.binary(packet::Op::And, expressions.load(1, packet::kNoExpr, 0),
                                                expressions.constant(0xf0));
        return packet::canMatch(*rule, expressions, decisions, {{version, 0x60}});
    };
    for (const char* silent : {"tcp[13] & 2 != 0", "udp[8:4] = 0", "icmp", "sctp[12] = 1", "icmp[0] = 8",
                               "tcp port 80 and tcp[13] & 8 != 0", "(tcp[12] & 0xf0) >> 2 > 20"}) {
        EXPECT_TRUE(packet::isSilentAboutIpv6(silent)) << silent;
        EXPECT_FALSE(matchesIpv6(silent)) << silent;
    }
    for (const char* both : {"tcp port 80", "icmp or icmp6", "not icmp", "tcp", "less 100"}) {
        EXPECT_FALSE(packet::isSilentAboutIpv6(both)) << both;
        EXPECT_TRUE(matchesIpv6(both)) << both;
    }
}

TEST(PcapExpressions, NamesTheColumnOfWhatNoFilterCanJudge) {
    for (const auto& [expression, column] :
         {std::pair("tcp and inbound", "column 9: 'inbound'"), std::pair("outbound", "column 1: 'outbound'"),
          std::pair("ip6 protochain 6", "column 5: protochain")}) {
        const auto refused = PcapExpressions().compile(expression, 1);
        ASSERT_FALSE(refused) << expression;
        EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
        EXPECT_TRUE(begins(refused.error().message, column)) << refused.error().message;
    }
}

} // namespace filterd
