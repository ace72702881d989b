// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/integers.hpp"

#include <bit>
#include <charconv>

namespace filterd {

WideInteger smallest(std::uint32_t size, bool isSigned) {
    return isSigned ? -(WideInteger{1} << (size * 8 - 1)) : WideInteger{0};
}

WideInteger largest(std::uint32_t size, bool isSigned) {
    return (WideInteger{1} << (isSigned ? size * 8 - 1 : size * 8)) - 1;
}

std::optional<WideInteger> parseInteger(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative)
        text.remove_prefix(1);
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if (hexadecimal)
        text.remove_prefix(2);
    std::uint64_t magnitude = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), magnitude, hexadecimal ? 16 : 10);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return negative ? -WideInteger{magnitude} : WideInteger{magnitude};
}

std::string text(WideInteger number) {
    return number < 0 ? std::to_string(static_cast<std::int64_t>(number))
                      : std::to_string(static_cast<std::uint64_t>(number));
}

void storeInteger(WideInteger number, bool bigEndian, std::span<std::byte> out) {
    const auto bits = static_cast<std::uint64_t>(number);
    const bool highFirst = bigEndian || std::endian::native == std::endian::big;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t place = highFirst ? out.size() - 1 - i : i;
        out[i] = static_cast<std::byte>(bits >> (place * 8));
    }
}

WideInteger loadInteger(std::span<const std::byte> bytes, bool isSigned, bool bigEndian) {
    const bool highFirst = bigEndian || std::endian::native == std::endian::big;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::size_t place = highFirst ? bytes.size() - 1 - i : i;
        bits |= std::to_integer<std::uint64_t>(bytes[i]) << (place * 8);
    }
    const auto number = WideInteger{bits};
    const bool negative = isSigned && number > largest(static_cast<std::uint32_t>(bytes.size()), true);
    return negative ? number - (WideInteger{1} << (bytes.size() * 8)) : number;
}

} // namespace filterd
