// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/port_set.hpp"

#include "core/value/value_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace filterd {

namespace {

constexpr std::uint32_t kPorts = 65536;

std::optional<std::uint16_t> portFrom(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(port) : std::nullopt;
}

} // namespace

Result<PortSet> PortSet::parse(std::string_view text) {
    PortSet set;
    std::string list(withoutBraces(text));
    std::replace(list.begin(), list.end(), ':', ',');
    const auto items = splitItems(list);
    if (!items)
        return failure(items.error());
    for (const auto& item : *items) {
        if (item == "all") {
            set.add(0, kPorts - 1);
            continue;
        }
        const auto dash = item.find('-');
        const auto first = portFrom(std::string_view(item).substr(0, dash));
        const auto last =
            dash == std::string::npos ? first : portFrom(std::string_view(item).substr(dash + 1));
        if (!first || !last || *first > *last)
            return failure(ErrorCode::InvalidArgument,
                           "'" + item + "' is neither a port nor a range of ports");
        set.add(*first, *last);
    }
    PortSet zero;
    zero.add(0, 0);
    if (set.words_ == zero.words_) // beside others it may be what is left of a range
        return failure(ErrorCode::InvalidArgument, "no packet has port 0, ports are 1 to 65535");
    return set;
}

PortSet PortSet::fromBytes(std::span<const std::byte> bytes) {
    PortSet set;
    std::memcpy(set.words_.data(), bytes.data(), kPortSetSize);
    return set;
}

void PortSet::add(std::uint16_t first, std::uint16_t last) {
    for (std::uint32_t port = first; port <= last; ++port)
        words_[port / 64] |= std::uint64_t{1} << (port % 64);
}

bool PortSet::contains(std::uint16_t port) const { return (words_[port / 64] >> (port % 64) & 1) != 0; }

bool PortSet::isEmpty() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
}

std::string PortSet::text() const {
    std::string result;
    for (std::uint32_t port = 0; port < kPorts; ++port) {
        if (!contains(static_cast<std::uint16_t>(port)))
            continue;
        std::uint32_t last = port;
        while (last + 1 < kPorts && contains(static_cast<std::uint16_t>(last + 1)))
            ++last;
        if (port == 0 && last == kPorts - 1)
            return "all";
        result += (result.empty() ? "" : ",") + std::to_string(port);
        if (last > port)
            result += "-" + std::to_string(last);
        port = last;
    }
    return result;
}

} // namespace filterd
