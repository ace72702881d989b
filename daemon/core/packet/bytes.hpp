// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The bytes of a packet, and the sizes of its headers.

#include <cstddef>
#include <cstdint>
#include <span>

namespace filterd::packet {

using View = std::span<const std::byte>;

inline constexpr std::size_t kIpv4Header = 20; // without options
inline constexpr std::size_t kIpv6Header = 40; // without extension headers

[[nodiscard]] inline unsigned byteAt(View bytes, std::size_t offset) {
    return std::to_integer<unsigned>(bytes[offset]);
}

[[nodiscard]] inline std::uint16_t wordAt(View bytes, std::size_t offset) {
    return static_cast<std::uint16_t>(byteAt(bytes, offset) << 8 | byteAt(bytes, offset + 1));
}

} // namespace filterd::packet
