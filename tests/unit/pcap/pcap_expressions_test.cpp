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
          "icmp[icmptype] != icmp-echo", "net 10 or net 172.16", "tcp[0:2] == 0x1bb"})
        EXPECT_EQ(fault(good), "compiles") << good;
}

TEST(PcapExpressions, NamesTheColumn) {
    EXPECT_TRUE(begins(fault("tcp prt 443"), "column 5: 'prt'")) << fault("tcp prt 443");
    EXPECT_TRUE(begins(fault("tcp port 443 udp"), "column 14: syntax error")) << fault("tcp port 443 udp");
    EXPECT_TRUE(begins(fault("udp and (port 53 or port 54"), "column 9: '('"))
        << fault("udp and (port 53 or port 54");
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

} // namespace filterd
