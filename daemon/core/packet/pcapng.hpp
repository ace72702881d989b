// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Captures as wireshark and tcpdump read them: pcapng, of raw IP packets. libpcap writes only the older
// format, which has no room for a comment.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace filterd::packet {

enum class Way : std::uint32_t { In = 1, Out = 2 };

struct PcapngPacket {
    std::uint64_t time = 0; // microseconds since 1970
    Way way = Way::In;
    std::uint32_t length = 0; // as it was; of its bytes fewer may be here
    std::span<const std::uint8_t> bytes;
    std::string comment;
};

// Returns what a file begins with: which program has written it, and the one interface of all its packets.
// libpcap, and so tcpdump, refuses a file whose interfaces differ, and takes two without a limit for
// different ones.
[[nodiscard]] std::string pcapngHead(std::string_view application, std::string_view interface);

[[nodiscard]] std::string pcapngBlock(const PcapngPacket& packet);

} // namespace filterd::packet
