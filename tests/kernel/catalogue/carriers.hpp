// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Packets byte by byte, and what may carry a transport header: options, extension headers, fragments.

#include "tests/kernel/packets/packet_model.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace filterd::test {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kIcmp6 = 58;
inline constexpr std::uint16_t kIp4 = 0x0800;
inline constexpr std::uint16_t kIp6 = 0x86dd;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kAck = 0x10;

[[nodiscard]] Bytes operator+(Bytes one, const Bytes& other);
[[nodiscard]] Bytes bytesOf(const std::string& text);
void put16(Bytes& bytes, unsigned value);

[[nodiscard]] Bytes udp(unsigned from, unsigned to, const Bytes& payload = {});
// With 4 bytes of options.
[[nodiscard]] Bytes tcp(unsigned from, unsigned to, std::uint8_t flags, const Bytes& payload = {});

// From 192.0.2.1 to 192.0.2.2 and from 2001:db8::1 to 2001:db8::2, or back.
[[nodiscard]] Bytes ip4(std::uint8_t protocol, unsigned fragment, unsigned options, bool back,
                        const Bytes& rest);
[[nodiscard]] Bytes ip6(std::uint8_t next, bool back, const Bytes& rest);

struct Carrier {
    const char* name;
    std::uint16_t etherType;
    std::function<Bytes(std::uint8_t protocol, bool back, const Bytes& rest)> wrap;

    [[nodiscard]] Packet carry(std::uint8_t protocol, const Bytes& rest, bool back = false) const {
        return {etherType, wrap(protocol, back, rest)};
    }
};

[[nodiscard]] const std::vector<Carrier>& carriers();
// Returns packets that carry no transport header that could be read.
[[nodiscard]] const std::vector<Carrier>& hiding();

} // namespace filterd::test
