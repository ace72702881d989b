// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>

namespace filterd {

namespace {

constexpr std::array<std::byte, 12> kMappedHead{std::byte{0}, std::byte{0}, std::byte{0},   std::byte{0},
                                                std::byte{0}, std::byte{0}, std::byte{0},   std::byte{0},
                                                std::byte{0}, std::byte{0}, std::byte{255}, std::byte{255}};
constexpr std::uint32_t kMappedBits = 96;
constexpr std::size_t kLabelMax = 63;
constexpr std::size_t kNameMax = 254; // as DNS sends it, without the root's zero

tl::unexpected<Error> invalid(std::string message) {
    return failure(ErrorCode::InvalidArgument, std::move(message));
}

bool isMapped(std::span<const std::byte> address) {
    return address.size() == kAddress6 && std::equal(kMappedHead.begin(), kMappedHead.end(), address.begin());
}

bool isZeroBehind(std::span<const std::byte> address, std::uint32_t bits) {
    for (std::uint32_t bit = bits; bit < address.size() * 8; ++bit)
        if ((address[bit / 8] & (std::byte{0x80} >> (bit % 8))) != std::byte{0})
            return false;
    return true;
}

bool isLabel(std::string_view label) {
    return !label.empty() && label.size() <= kLabelMax && std::all_of(label.begin(), label.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    });
}

} // namespace

Result<std::vector<std::byte>> parseAddress(std::string_view text, std::size_t size) {
    const std::string copy(text);
    std::vector<std::byte> bytes(kAddress6);
    if (size == kAddress6 && ::inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1)
        return bytes;
    bytes.resize(kAddress4);
    if (::inet_pton(AF_INET, copy.c_str(), bytes.data()) != 1)
        return invalid("'" + copy + "' is no " + (size == kAddress6 ? "IPv4 or IPv6" : "IPv4") + " address");
    if (size == kAddress6)
        bytes.insert(bytes.begin(), kMappedHead.begin(), kMappedHead.end());
    return bytes;
}

std::string formatAddress(std::span<const std::byte> address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (isMapped(address))
        address = address.subspan(kMappedHead.size());
    ::inet_ntop(address.size() == kAddress6 ? AF_INET6 : AF_INET, address.data(), text.data(), text.size());
    return text.data();
}

Result<AddressPrefix> parsePrefix(std::string_view text, std::size_t size) {
    const auto slash = text.find('/');
    const auto addressText = text.substr(0, slash);
    auto address = parseAddress(addressText, size);
    if (!address)
        return failure(address.error());
    const bool four = addressText.find(':') == std::string_view::npos;
    const std::uint32_t most = four ? 32 : 128;
    std::uint32_t bits = most;
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (error != std::errc() || end != digits.data() + digits.size() || bits > most)
            return invalid("the length of '" + std::string(text) + "' is not from 0 to " +
                           std::to_string(most));
    }
    if (four && size == kAddress6)
        bits += kMappedBits;
    if (!isZeroBehind(*address, bits))
        return invalid("'" + std::string(text) +
                       "' has bits set behind its length; write the network's address");
    return AddressPrefix{std::move(*address), bits};
}

std::string formatPrefix(std::span<const std::byte> address, std::uint32_t bits) {
    if (isMapped(address) && bits >= kMappedBits)
        return formatAddress(address) + "/" + std::to_string(bits - kMappedBits);
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.size() == kAddress6 ? AF_INET6 : AF_INET, address.data(), text.data(), text.size());
    return std::string(text.data()) + "/" + std::to_string(bits);
}

Result<std::vector<std::byte>> parseDomainSuffix(std::string_view text) {
    std::string_view rest = text;
    if (rest.starts_with("*."))
        rest.remove_prefix(2);
    else if (rest.starts_with('.'))
        rest.remove_prefix(1);
    if (rest.ends_with('.'))
        rest.remove_suffix(1);
    std::string wire;
    while (!rest.empty()) {
        const auto dot = std::min(rest.find('.'), rest.size());
        const auto label = rest.substr(0, dot);
        if (!isLabel(label) || dot + 1 == rest.size())
            return invalid("'" + std::string(text) + "' is no domain name such as example.org");
        wire += static_cast<char>(label.size());
        for (const char c : label)
            wire += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    if (wire.empty() || wire.size() > kNameMax)
        return invalid("'" + std::string(text) + "' is no domain name such as example.org");
    std::vector<std::byte> reversed(wire.size());
    std::transform(wire.rbegin(), wire.rend(), reversed.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    return reversed;
}

std::string formatDomainSuffix(std::span<const std::byte> reversed) {
    std::string name;
    for (std::size_t at = reversed.size(); at > 0;) {
        const auto length = std::min<std::size_t>(std::to_integer<std::size_t>(reversed[--at]), at);
        if (!name.empty())
            name += '.';
        for (std::size_t i = 0; i < length; ++i)
            name += static_cast<char>(reversed[--at]);
    }
    return name;
}

} // namespace filterd
