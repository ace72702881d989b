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
