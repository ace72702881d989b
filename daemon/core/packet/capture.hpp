// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Packets of a capture: what a link layer puts before the IP header, and what a packet is in a few words.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace filterd::packet {

enum class LinkLayer { Ethernet, RawIp, LinuxCooked, LinuxCooked2 };

// A packet as a cgroup_skb program sees it: from its IP header on, without what a link layer put behind it.
struct IpPacket {
    std::uint16_t etherType = 0; // 0x0800 or 0x86dd
    std::span<const std::byte> bytes;
    bool cut = false; // its header tells of more bytes than were captured
};

// Nothing if the frame holds no IP packet, or not its whole header (without options).
[[nodiscard]] std::optional<IpPacket> ipPacketOf(LinkLayer layer, std::span<const std::byte> frame);

// "tcp 192.0.2.1:443 > 192.0.2.2:50000"; without ports if they cannot be read.
[[nodiscard]] std::string summaryOf(const IpPacket& packet);

} // namespace filterd::packet
