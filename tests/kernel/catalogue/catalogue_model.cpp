// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "catalogue_model.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace filterd::test {

namespace {

constexpr std::uint16_t kIp4 = 0x0800;
constexpr std::uint16_t kIp6 = 0x86dd;
constexpr std::size_t kExtensionsAtMost = 8;

using Bytes = std::vector<std::uint8_t>;

bool has(const Bytes& bytes, std::size_t offset, std::size_t count) { return offset + count <= bytes.size(); }
unsigned word(const Bytes& bytes, std::size_t at) { return unsigned{bytes[at]} << 8 | bytes[at + 1]; }

Transport transport4(const Bytes& ip) {
    if (!has(ip, 0, 20) || ip[0] >> 4 != 4)
        return {};
    const std::size_t header = (ip[0] & 0xf) * std::size_t{4};
    if (header < 20 || header > ip.size() || (word(ip, 6) & 0x1fff) != 0)
        return {};
    return {ip[9], header};
}

Transport transport6(const Bytes& ip) {
    if (!has(ip, 0, 40) || ip[0] >> 4 != 6)
        return {};
    unsigned next = ip[6];
    std::size_t at = 40;
    for (std::size_t seen = 0; seen < kExtensionsAtMost; ++seen) {
        const bool counted =
            next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
        if (!counted && next != 44 && next != 51)
            return at <= ip.size() ? Transport{next, at} : Transport{};
        if (!has(ip, at, next == 44 ? 4 : 2))
            return {};
        if (next == 44 && (word(ip, at + 2) & 0xfff8) != 0)
            return {};
        const std::size_t length = next == 44   ? 8
                                   : next == 51 ? (ip[at + 1] + std::size_t{2}) * 4
                                                : (ip[at + 1] + std::size_t{1}) * 8;
        next = ip[at];
        at += length;
    }
    return {};
}

std::optional<std::size_t> placeOf(unsigned protocol) {
    switch (protocol) {
    case 6:
        return 0;
    case 17:
        return 1;
    case 132:
        return 2;
    default:
        return std::nullopt;
    }
}

} // namespace

Transport transportOf(const Packet& packet) {
    if (packet.etherType == kIp4)
        return transport4(packet.bytes);
    return packet.etherType == kIp6 ? transport6(packet.bytes) : Transport{};
}

Outcome judgePort(const PortRules& rules, const Packet& packet, bool ingress) {
    const auto transport = transportOf(packet);
    const auto place = placeOf(transport.protocol);
    if (transport.protocol == 1 || transport.protocol == 58)
        return {rules.icmp, false};
    if (!place && transport.protocol != kNoProtocol)
        return {rules.other, false};
    if (!place || !has(packet.bytes, transport.offset, 4))
        return {rules.unparsable, true};
    auto from = static_cast<std::uint16_t>(word(packet.bytes, transport.offset));
    auto to = static_cast<std::uint16_t>(word(packet.bytes, transport.offset + 2));
    if (ingress)
        std::swap(from, to);
    const bool listed = rules.local[*place].contains(from) || rules.remote[*place].contains(to);
    return {listed == rules.listed, false};
}

bool PrefixRule::isFour() const {
    const auto* const end = address.begin() + 10;
    return bits >= 96 && std::all_of(address.begin(), end, [](std::uint8_t byte) { return byte == 0; }) &&
           address[10] == 0xff && address[11] == 0xff;
}

bool PrefixRule::covers(const std::array<std::uint8_t, 16>& other) const {
    for (unsigned bit = 0; bit < bits; ++bit)
        if (((address[bit / 8] ^ other[bit / 8]) & (0x80U >> bit % 8)) != 0)
            return false;
    return true;
}

std::string PrefixRule::text() const {
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(isFour() ? AF_INET : AF_INET6, address.data() + (isFour() ? 12 : 0), text, sizeof text);
    return std::string(text) + "/" + std::to_string(isFour() ? bits - 96 : bits);
}

Outcome judgeCidr(const PrefixRules& rules, const Packet& packet, bool ingress) {
    const auto& ip = packet.bytes;
    const bool source = ingress != rules.local;
    std::array<std::uint8_t, 16> address{};
    if (packet.etherType == kIp4 && has(ip, 0, 20) && ip[0] >> 4 == 4) {
        address[10] = address[11] = 0xff;
        std::copy_n(ip.begin() + (source ? 12 : 16), 4, address.begin() + 12);
    } else if (packet.etherType == kIp6 && has(ip, 0, 40) && ip[0] >> 4 == 6) {
        std::copy_n(ip.begin() + (source ? 8 : 24), 16, address.begin());
    } else {
        return {rules.unparsable, true};
    }
    const PrefixRule* longest = nullptr;
    for (const auto& prefix : rules.prefixes)
        if (prefix.isFour() == (packet.etherType == kIp4) && prefix.covers(address) &&
            (longest == nullptr || prefix.bits > longest->bits))
            longest = &prefix;
    return {longest != nullptr ? longest->allow : rules.otherwise, false};
}

std::size_t segmentSize(const Packet& packet, unsigned gsoSize) {
    const auto& ip = packet.bytes;
    if (gsoSize == 0)
        return ip.size();
    const auto transport = transportOf(packet);
    std::size_t headers = 0;
    if (transport.protocol == 17)
        headers = transport.offset + 8;
    else if (transport.protocol == 6 && has(ip, transport.offset, 13))
        headers = transport.offset + (ip[transport.offset + 12] >> 4) * std::size_t{4};
    else
        return ip.size();
    return std::min(headers + gsoSize, ip.size());
}

} // namespace filterd::test
