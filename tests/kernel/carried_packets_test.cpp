// What the filters of the catalogue look for, in every packet that may carry it: behind options and extension
// headers, in fragments, in what is yet to be cut into segments.

#include "loaded_filter.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace filterd::test {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint16_t kIp4 = 0x0800;
constexpr std::uint16_t kIp6 = 0x86dd;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

void put16(Bytes& bytes, unsigned value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

Bytes operator+(Bytes one, const Bytes& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
}

Bytes bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

Bytes udp(unsigned from, unsigned to, const Bytes& payload = {}) {
    Bytes bytes;
    for (const unsigned value : {from, to, static_cast<unsigned>(8 + payload.size()), 0U})
        put16(bytes, value);
    return bytes + payload;
}

Bytes tcp(unsigned from, unsigned to, std::uint8_t flags, const Bytes& payload = {}) {
    Bytes bytes;
    put16(bytes, from);
    put16(bytes, to);
    bytes.resize(12);
    bytes.insert(bytes.end(), {0x60, flags, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}); // with 4 bytes of options
    return bytes + payload;
}

Bytes ip4(std::uint8_t protocol, unsigned fragment, unsigned options, bool back, const Bytes& rest) {
    Bytes bytes{static_cast<std::uint8_t>(0x45 + options), 0, 0, 0, 0, 7};
    put16(bytes, fragment);
    const auto near = static_cast<std::uint8_t>(back ? 2 : 1);
    bytes.insert(bytes.end(),
                 {64, protocol, 0, 0, 192, 0, 2, near, 192, 0, 2, static_cast<std::uint8_t>(3 - near)});
    bytes.resize(bytes.size() + std::size_t{4} * options, 1);
    return bytes + rest;
}

Bytes ip6(std::uint8_t next, bool back, const Bytes& rest) {
    Bytes bytes{0x60, 0, 0, 0, 0, 0, next, 64};
    for (const int last : {back ? 2 : 1, back ? 1 : 2}) {
        bytes.insert(bytes.end(), {0x20, 1, 0x0d, 0xb8});
        bytes.resize(bytes.size() + 12);
        bytes.back() = static_cast<std::uint8_t>(last);
    }
    return bytes + rest;
}

struct Carrier {
    const char* name;
    std::uint16_t etherType;
    std::function<Bytes(std::uint8_t protocol, bool back, const Bytes& rest)> wrap;

    [[nodiscard]] Packet carry(std::uint8_t protocol, const Bytes& rest, bool back = false) const {
        return {etherType, wrap(protocol, back, rest)};
    }
};

Carrier four(const char* name, unsigned fragment, unsigned options) {
    return {name, kIp4, [=](std::uint8_t protocol, bool back, const Bytes& rest) {
                return ip4(protocol, fragment, options, back, rest);
            }};
}

// Headers before the transport's: the type of each, and what stands behind its first byte.
Carrier six(const char* name, const std::vector<std::pair<std::uint8_t, Bytes>>& headers) {
    return {name, kIp6, [=](std::uint8_t protocol, bool back, const Bytes& rest) {
                Bytes all = rest;
                std::uint8_t next = protocol;
                for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
                    all = Bytes{next} + header->second + all;
                    next = header->first;
                }
                return ip6(next, back, all);
            }};
}

const Bytes kOptions{0, 1, 4, 0, 0, 0, 0};
const Bytes kLongOptions = Bytes{1, 1, 12} + Bytes(12, 0);
const Bytes kAuthentication = Bytes{4} + Bytes(22, 7);
const Bytes kFirst{0, 0, 1, 0, 0, 0, 9};
const Bytes kLater{0, 0, 9, 0, 0, 0, 9};

const std::vector<Carrier>& carriers() {
    static const std::vector<Carrier> all{
        four("IPv4", 0, 0),
        four("IPv4 with options", 0x4000, 10),
        four("the first fragment of IPv4", 0x2000, 1),
        six("IPv6", {}),
        six("hop-by-hop options", {{0, kOptions}}),
        six("four headers", {{0, kOptions}, {60, kLongOptions}, {43, kOptions}, {60, kOptions}}),
        six("an authentication header", {{51, kAuthentication}}),
        six("the first fragment of IPv6", {{44, kFirst}}),
        six("options in a fragment", {{44, kFirst}, {60, kOptions}}),
    };
    return all;
}

// What carries no transport header that could be read.
const std::vector<Carrier>& hiding() {
    static const std::vector<Carrier> all{
        four("a later fragment of IPv4", 0x2001, 0),
        six("a later fragment of IPv6", {{44, kLater}}),
        six("too many headers", std::vector<std::pair<std::uint8_t, Bytes>>(9, {60, kOptions})),
    };
    return all;
}

Bytes question(const std::string& name) {
    Bytes bytes{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    for (std::size_t at = 0, dot = 0; at < name.size(); at = dot + 1) {
        dot = std::min(name.find('.', at), name.size());
        bytes.push_back(static_cast<std::uint8_t>(dot - at));
        bytes = bytes + bytesOf(name.substr(at, dot - at));
    }
    return bytes + Bytes{0, 0, 1, 0, 1};
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
    }
}

TEST_F(CarriedPackets, DnsFindsTheName) {
    const Loaded dns("dns", {{"domains", Value{std::string("example.org")}}});
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        expect(dns, carrier.carry(kUdp, udp(5, 53, question("www.example.org"))), true);
        expect(dns, carrier.carry(kUdp, udp(5, 53, question("www.example.com"))), false);
        expect(dns, carrier.carry(kTcp, tcp(5, 53, kSyn)), false);
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

TEST_F(CarriedPackets, HttpPathFindsThePath) {
    const Loaded http("http-path", {{"paths", Value{std::string("/api/")}}});
    for (const auto& carrier : carriers()) {
        SCOPED_TRACE(carrier.name);
        expectUnparsable(http, carrier.carry(kTcp, tcp(5, 80, kAck, bytesOf("body"))), true);
        expect(http, carrier.carry(kTcp, tcp(5, 80, kAck, request("/api/x"))), true, true);
        expect(http, carrier.carry(kTcp, tcp(5, 80, kAck, bytesOf("body"))), true, true);
        expect(http, carrier.carry(kTcp, tcp(5, 80, kAck, request("/x"))), false, true);
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

} // namespace filterd::test
