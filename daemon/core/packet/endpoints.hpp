// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells who talks to whom in a packet, as far as its captured bytes show it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace filterd::packet {

struct Ports {
    std::uint16_t source = 0;
    std::uint16_t destination = 0;
    bool operator==(const Ports&) const = default;
};

struct Endpoints {
    unsigned protocol = 0; // of the transport, behind IPv6 extension headers
    std::string source;
    std::string destination;
    std::optional<Ports> ports; // of TCP, UDP and SCTP; not in a fragment behind the first, nor if cut off
};

// Nothing if it is no IP packet, or its header (without options) is not whole.
[[nodiscard]] std::optional<Endpoints> endpointsOf(std::uint16_t etherType, std::span<const std::byte> bytes);

// "tcp", "udp", "sctp", "icmp", "icmp6"; of any other the number.
[[nodiscard]] std::string protocolName(unsigned protocol);

// "192.0.2.1:443", "[2001:db8::1]:443".
[[nodiscard]] std::string withPort(const std::string& address, std::uint16_t port);

} // namespace filterd::packet
