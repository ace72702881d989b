// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "tests/kernel/packets/packet_generator.hpp"

#include <array>

namespace filterd::test {

namespace {

constexpr std::array kPorts{22U, 53U, 80U, 443U, 1000U, 1024U, 8080U, 65535U};
constexpr std::array kProtocols{6U, 6U, 6U, 17U, 17U, 17U, 1U, 58U, 132U, 50U, 51U, 2U, 47U, 33U, 136U};
constexpr std::array kExtensions{0U, 43U, 44U, 60U, 51U, 135U, 139U};
constexpr std::array kHosts{"10.0.0.1", "10.0.0.2", "192.168.1.1", "8.8.8.8"};
constexpr std::array<std::array<std::uint8_t, 4>, 4> kHostBytes{
    {{10, 0, 0, 1}, {10, 0, 0, 2}, {192, 168, 1, 1}, {8, 8, 8, 8}}};

} // namespace

void PacketGenerator::put16(Packet& packet, unsigned value) {
    packet.bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    packet.bytes.push_back(static_cast<std::uint8_t>(value));
}

Packet PacketGenerator::next() {
    Packet packet;
    if (oneIn(2))
        v4(packet);
    else
        v6(packet);
    damage(packet);
    return packet;
}

void PacketGenerator::v4(Packet& packet) {
    packet.etherType = 0x0800;
    const unsigned words = oneIn(4) ? 5 + below(11) : 5;
    const unsigned protocol = pick(kProtocols);
    packet.bytes = {static_cast<std::uint8_t>(0x40 | words), byte()};
    put16(packet, below(1500));
    put16(packet, below(65536));
    put16(packet, oneIn(6) ? below(65536) : oneIn(8) ? 0x2000 : 0x4000);
    packet.bytes.push_back(byte());
    packet.bytes.push_back(static_cast<std::uint8_t>(protocol));
    put16(packet, below(65536));
    for (int address = 0; address < 2; ++address)
        for (const std::uint8_t part : pick(kHostBytes))
            packet.bytes.push_back(part);
    for (unsigned i = 0; i < (words - 5) * 4; ++i)
        packet.bytes.push_back(byte());
    transport(packet, protocol);
}

void PacketGenerator::v6(Packet& packet) {
    packet.etherType = 0x86dd;
    packet.bytes = {0x60, byte(), byte(), byte()};
    put16(packet, below(1500));
    packet.bytes.push_back(static_cast<std::uint8_t>(pick(kProtocols)));
    packet.bytes.push_back(byte());
    for (int address = 0; address < 2; ++address) {
        std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
        bytes[15] = static_cast<std::uint8_t>(below(3));
        packet.bytes.insert(packet.bytes.end(), bytes.begin(), bytes.end());
    }
    if (oneIn(3))
        extensions(packet);
    else
        transport(packet, packet.bytes[6]);
}

void PacketGenerator::extensions(Packet& packet) {
    const unsigned last = pick(kProtocols);
    unsigned type = pick(kExtensions);
    packet.bytes[6] = static_cast<std::uint8_t>(type);
    for (unsigned left = below(10);; --left) {
        const unsigned next = left == 0 ? last : pick(kExtensions);
        const std::size_t start = packet.bytes.size();
        const unsigned units = oneIn(3) ? below(3) : 0;
        packet.bytes.push_back(static_cast<std::uint8_t>(next));
        packet.bytes.push_back(static_cast<std::uint8_t>(units));
        const std::size_t size = type == 44 ? 8 : type == 51 ? (units + 2) * 4 : (units + 1) * 8;
        while (packet.bytes.size() < start + size)
            packet.bytes.push_back(type == 44 && !oneIn(4) ? 0 : byte());
        if (left == 0)
            break;
        type = next;
    }
    transport(packet, last);
}

void PacketGenerator::transport(Packet& packet, unsigned protocol) {
    put16(packet, oneIn(8) ? below(65536) : pick(kPorts));
    put16(packet, oneIn(8) ? below(65536) : pick(kPorts));
    const unsigned more = protocol == 6 ? 16 : protocol == 132 || protocol == 33 ? 8 : 4;
    for (unsigned i = 0; i < more; ++i)
        packet.bytes.push_back(byte());
    if (protocol == 6)
        packet.bytes[packet.bytes.size() - 8] = static_cast<std::uint8_t>((5 + below(3)) << 4);
    const unsigned payload = oneIn(2) ? below(12) : below(120);
    for (unsigned i = 0; i < payload; ++i)
        packet.bytes.push_back(oneIn(3) ? 'G' : byte());
}

void PacketGenerator::damage(Packet& packet) {
    if (oneIn(6))
        packet.bytes.resize(1 + below(static_cast<unsigned>(packet.bytes.size())));
    if (oneIn(12))
        packet.bytes[below(static_cast<unsigned>(packet.bytes.size()))] = byte();
    if (oneIn(40))
        packet.bytes[0] = byte();
    if (oneIn(60))
        packet.etherType = pick(std::array<std::uint16_t, 4>{0x0800, 0x86dd, 0x0806, 0x88cc});
    // The kernel runs no test with less than a header.
    const std::size_t least = packet.etherType == 0x0800 ? 20 : packet.etherType == 0x86dd ? 40 : 1;
    if (packet.bytes.size() < least)
        packet.bytes.resize(least);
}

std::string PacketGenerator::atom() {
    const std::string port = std::to_string(oneIn(10) ? below(65536) : pick(kPorts));
    const std::string host = pick(kHosts);
    const std::string side = pick(std::array{"", "src ", "dst "});
    switch (below(20)) {
    case 0:
        return side + "port " + port;
    case 1:
        return std::string(pick(std::array{"tcp ", "udp ", "sctp "})) + side + "port " + port;
    case 2:
        return side + "host " + host;
    case 3:
        return side + "net " + pick(std::array{"10.0.0.0/8", "192.168.0.0/16", "8.8.8.0/24", "0.0.0.0/0"});
    case 4:
        return pick(std::array{"tcp", "udp", "icmp", "icmp6", "sctp", "ip", "ip6", "esp", "ah", "igmp"});
    case 5:
        return side + "portrange " + std::to_string(below(500)) + "-" + std::to_string(500 + below(9000));
    case 6:
        return side + "host 2001:db8::" + std::to_string(below(3));
    case 7:
        return "ip6 " + side + "net 2001:db8::/" + std::to_string(16 * (2 + below(6)));
    case 8:
        return std::string(pick(std::array{"ip proto ", "ip6 proto ", "proto "})) +
               std::to_string(pick(kProtocols));
    case 9:
        return std::string(pick(std::array{"greater ", "less "})) + std::to_string(20 + below(100));
    default:
        return atomOfBytes();
    }
}

// Makes an expression that looks at bytes by their place.
std::string PacketGenerator::atomOfBytes() {
    switch (below(10)) {
    case 0:
        return "tcp[tcpflags] & (tcp-syn|tcp-ack) " +
               std::string(pick(std::array{"!= 0", "= tcp-syn", "= 0"}));
    case 1:
        return "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47474747";
    case 2:
        return "udp[" + std::to_string(below(12)) + ":" + pick(std::array{"1", "2", "4"}) + "] > " +
               std::to_string(below(200));
    case 3:
        return "ip[" + std::to_string(below(30)) + "] & " + std::to_string(1 + below(255)) + " != 0";
    case 4:
        return "ip6[" + std::to_string(below(50)) + "] = " + std::to_string(below(64));
    case 5:
        return "ip[6:2] & 0x1fff " + std::string(pick(std::array{"!= 0", "= 0"}));
    case 6:
        return "icmp[icmptype] = " + std::string(pick(std::array{"icmp-echo", "icmp-echoreply"}));
    case 7:
        return "ip[2:2] - ((ip[0] & 0xf) << 2) > " + std::to_string(below(1000));
    case 8:
        return "ip[2:2] / (ip[8] & 3) > " + std::to_string(below(500));
    default:
        return "udp[4:2] > len - " + std::to_string(below(60));
    }
}

std::string PacketGenerator::expression(int depth) {
    if (depth > 2 || oneIn(3))
        return atom();
    switch (below(4)) {
    case 0:
        return "not (" + expression(depth + 1) + ")";
    case 1:
        return "(" + expression(depth + 1) + ") or (" + expression(depth + 1) + ")";
    default:
        return "(" + expression(depth + 1) + ") and (" + expression(depth + 1) + ")";
    }
}

std::string hex(const Packet& packet) {
    std::string text = std::to_string(packet.etherType) + ":";
    constexpr char kDigits[] = "0123456789abcdef";
    for (const std::uint8_t byte : packet.bytes)
        text += std::string{kDigits[byte >> 4], kDigits[byte & 0xf]};
    return text;
}

} // namespace filterd::test
