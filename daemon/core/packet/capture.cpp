// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet/capture.hpp"

#include "core/packet/bytes.hpp"
#include "core/packet/endpoints.hpp"

#include <cctype>
#include <linux/if_ether.h>

namespace filterd::packet {

namespace {

constexpr std::size_t kAddressesOfEthernet = 12;
constexpr std::size_t kVlanTag = 4;
constexpr std::size_t kCooked = 16;
constexpr std::size_t kCooked2 = 20;

struct Payload {
    std::uint16_t etherType;
    View bytes;
};

std::optional<Payload> behindEthernet(View frame) {
    std::size_t at = kAddressesOfEthernet;
    while (frame.size() >= at + 2) {
        const auto type = wordAt(frame, at);
        if (type != ETH_P_8021Q && type != ETH_P_8021AD)
            return Payload{type, frame.subspan(at + 2)};
        at += kVlanTag;
    }
    return std::nullopt;
}

std::optional<Payload> behindCooked(View frame, std::size_t header, std::size_t typeAt) {
    if (frame.size() < header)
        return std::nullopt;
    return Payload{wordAt(frame, typeAt), frame.subspan(header)};
}

std::optional<Payload> bare(View frame) {
    if (frame.empty())
        return std::nullopt;
    const auto version = byteAt(frame, 0) >> 4;
    return Payload{static_cast<std::uint16_t>(version == 4   ? ETH_P_IP
                                              : version == 6 ? ETH_P_IPV6
                                                             : 0),
                   frame};
}

std::optional<Payload> payloadOf(LinkLayer layer, View frame) {
    switch (layer) {
    case LinkLayer::Ethernet:
        return behindEthernet(frame);
    case LinkLayer::LinuxCooked:
        return behindCooked(frame, kCooked, kCooked - 2);
    case LinkLayer::LinuxCooked2:
        return behindCooked(frame, kCooked2, 0);
    case LinkLayer::RawIp:
        break;
    }
    return bare(frame);
}

bool holdsHeader(const Payload& payload) {
    return (payload.etherType == ETH_P_IP && payload.bytes.size() >= kIpv4Header) ||
           (payload.etherType == ETH_P_IPV6 && payload.bytes.size() >= kIpv6Header);
}

// The whole packet's length by its header; 0 if that does not tell, as of one that was segmented later.
std::size_t lengthOf(const Payload& payload) {
    const auto bytes = payload.bytes;
    if (payload.etherType == ETH_P_IP)
        return wordAt(bytes, 2);
    const std::size_t payloadLength = wordAt(bytes, 4);
    return payloadLength == 0 ? 0 : kIpv6Header + payloadLength;
}

} // namespace

std::optional<IpPacket> ipPacketOf(LinkLayer layer, View frame) {
    const auto payload = payloadOf(layer, frame);
    if (!payload || !holdsHeader(*payload))
        return std::nullopt;
    const auto length = lengthOf(*payload);
    IpPacket packet{payload->etherType, payload->bytes, length > payload->bytes.size()};
    if (length > 0 && !packet.cut)
        packet.bytes = packet.bytes.first(length);
    return packet;
}

std::string summaryOf(const IpPacket& packet) {
    const auto endpoints = endpointsOf(packet.etherType, packet.bytes);
    if (!endpoints)
        return "no IP packet";
    const auto name = protocolName(endpoints->protocol);
    const bool isNumber = std::isdigit(static_cast<unsigned char>(name.front())) != 0;
    const auto text = (isNumber ? "protocol " : "") + name + " ";
    if (!endpoints->ports)
        return text + endpoints->source + " > " + endpoints->destination;
    return text + withPort(endpoints->source, endpoints->ports->source) + " > " +
           withPort(endpoints->destination, endpoints->ports->destination);
}

} // namespace filterd::packet
