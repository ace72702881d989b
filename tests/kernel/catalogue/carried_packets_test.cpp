// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What the filters of the catalogue look for, in every packet that may carry it: behind options and extension
// headers, in fragments, in what is yet to be cut into segments.

#include "carriers.hpp"
#include "loaded_filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace filterd::test {

namespace {

Bytes question(const std::string& name) {
    Bytes bytes{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    for (std::size_t at = 0, dot = 0; at < name.size(); at = dot + 1) {
        dot = std::min(name.find('.', at), name.size());
        bytes.push_back(static_cast<std::uint8_t>(dot - at));
        bytes = bytes + bytesOf(name.substr(at, dot - at));
    }
    return bytes + Bytes{0, 0, 1, 0, 1};
}

Bytes overTcp(const Bytes& message) {
    Bytes bytes;
    put16(bytes, static_cast<unsigned>(message.size()));
    return bytes + message;
}

Bytes request(const std::string& path) { return bytesOf("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"); }

constexpr std::uint32_t kGsoSizes[] = {0, 50};

class CarriedPackets : public ::testing::Test {
  protected:
    // Passes as `passes` says, whether it is to be cut into segments or not.
    static void expect(const Loaded& filter, const Packet& packet, bool passes, bool ingress = false) {
        for (const auto gso : kGsoSizes)
            EXPECT_EQ(filter.run(packet, {.ingress = ingress, .gsoSize = gso}).passes, passes)
                << "segments of " << gso;
    }

    // Counts apart, and follows `unparsable` alone.
    static void expectUnparsable(const Loaded& filter, const Packet& packet, bool ingress = false) {
        const auto before = filter.count("unparsable_packets");
        expect(filter, packet, false, ingress);
        filter.set("unparsable", "allow");
        expect(filter, packet, true, ingress);
        filter.set("unparsable", "deny");
        EXPECT_EQ(filter.count("unparsable_packets"), before + 2 * std::size(kGsoSizes));
    }
};

} // namespace

TEST_F(CarriedPackets, PortFindsThePorts) {
    const Loaded port("port",
                      {{"tcp_ports", Value{std::string("80")}}, {"udp_ports", Value{std::string("80")}}});
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        for (std::size_t length = 0; length < 12; ++length) {
            expect(port, carrier.carry(kUdp, udp(80, 5, Bytes(length))), true);
            expect(port, carrier.carry(kUdp, udp(5, 80, Bytes(length))), false);
        }
        expect(port, carrier.carry(kTcp, tcp(5, 80, kSyn)), true, true);
        expect(port, carrier.carry(kTcp, tcp(80, 5, kSyn)), false, true);
        expectUnparsable(port, carrier.carry(kUdp, {0, 80}));
    }
    for (const auto& carrier : hiding()) {
        SCOPED_TRACE(carrier.name);
        expectUnparsable(port, carrier.carry(kUdp, udp(80, 80)));
        expectUnparsable(port, carrier.carry(kIcmp, {8, 0, 0, 0}));
    }
    // Options said to be longer than the packet, before what would pass: nothing is readable behind them.
    expectUnparsable(port, {kIp6, ip6(60, false, Bytes{kIcmp6, 9, 1, 4, 0, 0, 0, 0, 128, 0, 0, 0})});
}

TEST_F(CarriedPackets, DnsFindsTheName) {
    const Loaded dns("dns", {{"domains", Value{std::string("example.org")}}});
    unsigned own = 1000;
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        ++own;
        expect(dns, carrier.carry(kUdp, udp(5, 53, question("www.example.org"))), true);
        expect(dns, carrier.carry(kUdp, udp(5, 53, question("www.example.com"))), false);
        expect(dns, carrier.carry(kTcp, tcp(own, 53, kSyn)), true);
        expect(dns, carrier.carry(kTcp, tcp(own, 53, kAck, overTcp(question("www.example.org")))), true);
        expect(dns, carrier.carry(kTcp, tcp(own + 100, 53, kAck, overTcp(question("www.example.com")))),
               false);
        dns.set("tcp", "deny");
        expect(dns, carrier.carry(kTcp, tcp(own, 53, kSyn)), false);
        dns.set("tcp", "allow");
        expectUnparsable(dns, carrier.carry(kTcp, tcp(own + 200, 53, kAck, overTcp(Bytes(11)))));
        expectUnparsable(dns, carrier.carry(kTcp, {0, 5, 0, 53, 0, 0, 0, 0}));
        for (std::size_t length = 0; length < 12; ++length) {
            expectUnparsable(dns, carrier.carry(kUdp, udp(5, 53, Bytes(length))));
            expect(dns, carrier.carry(kUdp, udp(53, 5, Bytes(length))), true);
        }
        expectUnparsable(dns, carrier.carry(kUdp, {0, 5, 0}));
    }
    for (const auto& carrier : hiding()) {
        SCOPED_TRACE(carrier.name);
        expectUnparsable(dns, carrier.carry(kUdp, udp(5, 53, question("www.example.org"))));
    }
}

TEST_F(CarriedPackets, DnsJudgesNoSendOfSeveralDatagrams) {
    const Loaded dns("dns", {{"domains", Value{std::string("example.org")}}});
    const auto one = question("a.example.org");
    const auto size = static_cast<std::uint32_t>(one.size());
    const auto packet = carriers().front().carry(kUdp, udp(5, 53, one + question("b.evil.test.")));
    const auto allowed = carriers().front().carry(kUdp, udp(5, 53, one));
    EXPECT_FALSE(dns.run(packet, {.gsoSize = size}).passes);
    EXPECT_EQ(dns.count("unparsable_packets"), 1U);
    EXPECT_TRUE(dns.run(allowed, {.gsoSize = size}).passes);
    EXPECT_FALSE(dns.run(allowed, {.gsoSize = size - 1}).passes);
}

TEST_F(CarriedPackets, DnsLetsAllowedNamesThroughWithASearchDomain) {
    const Loaded dns("dns", {{"domains", Value{std::string("example.org, bad.example.org=deny")}},
                             {"search", Value{std::string("cluster.local, not.cluster.local=deny")}}});
    const auto passes = [&](const std::string& name) {
        return dns.run(carriers().front().carry(kUdp, udp(5, 53, question(name))), {}).passes;
    };
    for (const auto* name : {"example.org", "example.org.cluster.local", "a.Example.org.svc.Cluster.local"})
        EXPECT_TRUE(passes(name)) << name;
    for (const auto* name : {"cluster.local", "x.cluster.local", "notexample.org.cluster.local",
                             "bad.example.org.cluster.local", "example.org.not.cluster.local",
                             "example.org.xcluster.local", "example.org.evil.test", "example.org.local"})
        EXPECT_FALSE(passes(name)) << name;
    dns.set("search", "");
    EXPECT_FALSE(passes("example.org.cluster.local"));
}

TEST_F(CarriedPackets, HttpPathFindsThePath) {
    const Loaded http("http-path", {{"paths", Value{std::string("/api/")}}});
    unsigned own = 1000;
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        ++own;
        expectUnparsable(http, carrier.carry(kTcp, tcp(own, 80, kAck, bytesOf("body"))), true);
        expect(http, carrier.carry(kTcp, tcp(own, 80, kAck, request("/api/x"))), true, true);
        expectUnparsable(http, carrier.carry(kTcp, tcp(own, 80, kAck, bytesOf("body"))), true);
        expect(http, carrier.carry(kTcp, tcp(own + 100, 80, kAck, request("/x"))), false, true);
        expect(http, carrier.carry(kTcp, tcp(5, 80, kSyn)), true, true);
        expect(http, carrier.carry(kTcp, tcp(5, 8080, kAck, request("/x"))), true, true);
        expect(http, carrier.carry(kUdp, udp(5, 80, request("/x"))), true, true);
        expectUnparsable(http, carrier.carry(kTcp, {0, 5, 0, 80}), true);
    }
    for (const auto& carrier : hiding()) {
        SCOPED_TRACE(carrier.name);
        expectUnparsable(http, carrier.carry(kTcp, tcp(5, 80, kAck, request("/api/x"))), true);
    }
}

TEST_F(CarriedPackets, EstablishedFindsTheConversation) {
    const Loaded established("established");
    unsigned own = 1000;
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        ++own;
        expect(established, carrier.carry(kUdp, udp(53, own), true), false, true);
        expect(established, carrier.carry(kUdp, udp(own, 53)), true);
        for (std::size_t length = 0; length < 12; ++length)
            expect(established, carrier.carry(kUdp, udp(53, own, Bytes(length)), true), true, true);
        expect(established, carrier.carry(kUdp, udp(54, own), true), false, true);
        expect(established, carrier.carry(kUdp, udp(53, own)), false, true);
        expect(established, carrier.carry(kTcp, tcp(80, own, kSyn), true), false, true);
        expect(established, carrier.carry(kTcp, tcp(own, 80, kSyn | kAck)), true);
        expect(established, carrier.carry(kTcp, tcp(80, own, kAck), true), false, true);
        expect(established, carrier.carry(kTcp, tcp(own, 80, kSyn)), true);
        expect(established, carrier.carry(kTcp, tcp(80, own, kSyn | kAck), true), true, true);
        expectUnparsable(established, carrier.carry(kUdp, {0, 53, 3}, true), true);
    }
    for (const auto& carrier : hiding()) {
        SCOPED_TRACE(carrier.name);
        expectUnparsable(established, carrier.carry(kUdp, udp(53, 1001), true), true);
        expect(established, carrier.carry(kUdp, udp(1001, 53)), true);
    }
}

TEST_F(CarriedPackets, CidrFindsTheAddressWhateverIsBehindIt) {
    const Loaded cidr("cidr", {{"prefixes", Value{std::string("192.0.2.2,2001:db8::2")}}});
    for (const auto* all : {&carriers(), &hiding()})
        for (const auto& carrier : *all) {
            SCOPED_TRACE(carrier.name);
            expect(cidr, carrier.carry(kUdp, udp(5, 53)), true);
            expect(cidr, carrier.carry(kUdp, udp(5, 53), true), false);
            expect(cidr, carrier.carry(kUdp, udp(5, 53), true), true, true);
            expect(cidr, carrier.carry(kTcp, {}), true); // its addresses are there
        }
    Packet broken{kIp4, ip4(kUdp, 0, 0, false, udp(5, 53))};
    broken.bytes[0] = 0x65;
    expectUnparsable(cidr, broken);
}

TEST_F(CarriedPackets, MtuFindsTheHeadersOfASegment) {
    constexpr std::uint32_t kSegment = 100;
    const Loaded mtu("mtu");
    const auto sizeIs = [&](const Packet& packet, std::size_t size) {
        for (const bool fits : {false, true}) {
            mtu.set("mtu_bytes", std::to_string(fits ? size : size - 1));
            EXPECT_EQ(mtu.run(packet, {.gsoSize = kSegment}).passes, fits) << size;
        }
    };
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        const auto headers = carrier.carry(kUdp, {}).bytes.size();
        sizeIs(carrier.carry(kUdp, udp(5, 53, Bytes(1000))), headers + 8 + kSegment);
        sizeIs(carrier.carry(kTcp, tcp(5, 53, kAck, Bytes(1000))), headers + 24 + kSegment);
    }
    EXPECT_EQ(mtu.count("unparsable_packets"), 0U);
    for (const auto& carrier : hiding()) {
        SCOPED_TRACE(carrier.name);
        const auto packet = carrier.carry(kUdp, udp(5, 53, Bytes(1000)));
        sizeIs(packet, packet.bytes.size());
    }
    EXPECT_EQ(mtu.count("unparsable_packets"), 2 * hiding().size());
}

} // namespace filterd::test
