// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Integers of 1, 2, 4 and 8 bytes in either byte order.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace filterd {

// Wide enough for every integer of 64 bits, signed or not.
__extension__ using WideInteger = __int128;

[[nodiscard]] WideInteger smallest(std::uint32_t size, bool isSigned);
[[nodiscard]] WideInteger largest(std::uint32_t size, bool isSigned);

// Decimal, or hexadecimal behind 0x; nothing if it is not an integer of 64 bits.
[[nodiscard]] std::optional<WideInteger> parseInteger(std::string_view text);
[[nodiscard]] std::string text(WideInteger number);

void storeInteger(WideInteger number, bool bigEndian, std::span<std::byte> out);
[[nodiscard]] WideInteger loadInteger(std::span<const std::byte> bytes, bool isSigned, bool bigEndian);

} // namespace filterd
