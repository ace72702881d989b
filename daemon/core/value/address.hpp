// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Addresses, prefixes and domain suffixes as the keys and values of maps hold them.

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

inline constexpr std::size_t kAddress4 = 4;
inline constexpr std::size_t kAddress6 = 16;

struct AddressPrefix {
    std::vector<std::byte> address;
    std::uint32_t bits = 0;
};

// Into `size` bytes (4 or 16) in network order; an IPv4 address in 16 bytes is ::ffff:a.b.c.d.
[[nodiscard]] Result<std::vector<std::byte>> parseAddress(std::string_view text, std::size_t size);
[[nodiscard]] std::string formatAddress(std::span<const std::byte> address);

// "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits behind the prefix must be zero.
[[nodiscard]] Result<AddressPrefix> parsePrefix(std::string_view text, std::size_t size);
[[nodiscard]] std::string formatPrefix(std::span<const std::byte> address, std::uint32_t bits);

// "example.org", "*.example.org" and ".example.org" alike: the name as DNS sends it, backwards, lower-case.
[[nodiscard]] Result<std::vector<std::byte>> parseDomainSuffix(std::string_view text);
[[nodiscard]] std::string formatDomainSuffix(std::span<const std::byte> reversed);

} // namespace filterd
