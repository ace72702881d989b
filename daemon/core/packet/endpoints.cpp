// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet/endpoints.hpp"

#include "core/packet/bytes.hpp"
#include "core/value/address.hpp"

#include <linux/if_ether.h>
#include <netinet/in.h>

namespace filterd::packet {

namespace {

constexpr unsigned kOffsetOfIpv4 = 0x1fff; // of a fragment, in the word that has it
constexpr unsigned kOffsetOfIpv6 = 0xfff8;
constexpr std::size_t kMinimalExtension = 8;

View behind(View bytes, std::size_t size) { return size <= bytes.size() ? bytes.subspan(size) : View(); }

std::optional<Ports> portsOf(unsigned protocol, View transport) {
    if (transport.size() < 4 ||
        (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP))
        return std::nullopt;
    return Ports{wordAt(transport, 0), wordAt(transport, 2)};
}

Endpoints endpointsOfIpv4(View bytes) {
    Endpoints endpoints{byteAt(bytes, 9), formatAddress(bytes.subspan(12, kAddress4)),
                        formatAddress(bytes.subspan(16, kAddress4)), std::nullopt};
    const std::size_t header = std::size_t{byteAt(bytes, 0) & 15U} * 4;
    if (header >= kIpv4Header && (wordAt(bytes, 6) & kOffsetOfIpv4) == 0)
        endpoints.ports = portsOf(endpoints.protocol, behind(bytes, header));
    return endpoints;
}

// The header that follows one of IPv6 that is not the last.
struct Next {
    unsigned protocol = 0;
    View bytes;
};

std::optional<std::size_t> sizeOfExtension(unsigned protocol, View bytes) {
    switch (protocol) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_MH:
        return (byteAt(bytes, 1) + std::size_t{1}) * 8;
    case IPPROTO_AH:
        return (byteAt(bytes, 1) + std::size_t{2}) * 4;
    case IPPROTO_FRAGMENT:
        return kMinimalExtension;
    default:
        return std::nullopt;
    }
}

// Behind all extension headers, as far as they were captured. Of a later fragment nothing is left but what it
// says of itself.
Next behindExtensions(unsigned protocol, View bytes) {
    while (bytes.size() >= kMinimalExtension) {
        const auto size = sizeOfExtension(protocol, bytes);
        if (!size)
            break;
        const bool laterFragment = protocol == IPPROTO_FRAGMENT && (wordAt(bytes, 2) & kOffsetOfIpv6) != 0;
        protocol = byteAt(bytes, 0);
        bytes = laterFragment ? View() : behind(bytes, *size);
    }
    return {protocol, bytes};
}

Endpoints endpointsOfIpv6(View bytes) {
    const auto last = behindExtensions(byteAt(bytes, 6), bytes.subspan(kIpv6Header));
    return {last.protocol, formatAddress(bytes.subspan(8, kAddress6)),
            formatAddress(bytes.subspan(24, kAddress6)), portsOf(last.protocol, last.bytes)};
}

} // namespace

std::optional<Endpoints> endpointsOf(std::uint16_t etherType, View bytes) {
    if (etherType == ETH_P_IP && bytes.size() >= kIpv4Header)
        return endpointsOfIpv4(bytes);
    if (etherType == ETH_P_IPV6 && bytes.size() >= kIpv6Header)
        return endpointsOfIpv6(bytes);
    return std::nullopt;
}

std::string protocolName(unsigned protocol) {
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "icmp6";
    default:
        return std::to_string(protocol);
    }
}

std::string withPort(const std::string& address, std::uint16_t port) {
    const bool ipv6 = address.find(':') != std::string::npos;
    return (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

} // namespace filterd::packet
