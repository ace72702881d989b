// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// format(): from a filter's bytes to text.

#include "core/value/address.hpp"
#include "core/value/integers.hpp"
#include "core/value/port_set.hpp"
#include "core/value/value.hpp"
#include "core/value/value_text.hpp"

#include <algorithm>
#include <cstring>

namespace filterd {

namespace {

using View = std::span<const std::byte>;

std::string hexadecimal(View bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string result;
    for (const auto byte : bytes) {
        result += kDigits[std::to_integer<std::size_t>(byte >> 4)];
        result += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return result;
}

std::string formatEnumeration(const ValueType& type, View bytes) {
    const auto number = loadInteger(bytes, type.isSigned, false);
    for (const auto& [name, constant] : type.enumerators)
        if (number == constant)
            return name;
    return text(number);
}

std::string characters(View bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string formatText(View bytes) {
    const auto all = characters(bytes);
    return quoted(all.substr(0, all.find('\0')));
}

// In braces, unless the whole stands in braces already.
std::string braced(const std::string& text) {
    return !text.empty() && withoutBraces(text).size() < text.size() ? text : "{" + text + "}";
}

// As an item of a list or a member of a structure.
std::string formatItem(const ValueType& type, View bytes) {
    const auto text = format(type, bytes);
    if (type.kind == ValueKind::Array)
        return braced(text);
    return type.kind == ValueKind::PortSet ? quoted(text) : text;
}

std::string formatArray(const ValueType& type, View bytes) {
    const auto& element = type.elements.front().type;
    std::string result;
    for (std::uint32_t i = 0; i < type.count; ++i)
        result += (i == 0 ? "" : ",") +
                  formatItem(element, bytes.subspan(std::size_t{i} * element.size, element.size));
    // A single item's own braces would be taken for the array's.
    return type.count == 1 && result.starts_with('{') ? "{" + result + "}" : result;
}

std::string formatStructure(const ValueType& type, View bytes) {
    std::string result;
    for (const auto& member : type.elements)
        result += (result.empty() ? "" : ",") + member.name + "=" +
                  formatItem(member.type, bytes.subspan(member.offset, member.type.size));
    return "{" + result + "}";
}

// The bytes that count of an LPM key, and how many bits.
std::pair<View, std::uint32_t> prefixOf(View key) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, key.data(), kPrefixHeader);
    const auto data = key.subspan(kPrefixHeader);
    return {data, std::min<std::uint32_t>(bits, static_cast<std::uint32_t>(data.size() * 8))};
}

} // namespace

std::string format(const ValueType& type, View bytes) {
    switch (type.kind) {
    case ValueKind::Integer:
        return text(loadInteger(bytes, type.isSigned, type.bigEndian));
    case ValueKind::Boolean:
        return loadInteger(bytes, false, false) != 0 ? "true" : "false";
    case ValueKind::Enumeration:
        return formatEnumeration(type, bytes);
    case ValueKind::Text:
        return formatText(bytes);
    case ValueKind::Address:
        return formatAddress(bytes);
    case ValueKind::PortSet:
        return PortSet::fromBytes(bytes).text();
    case ValueKind::Array:
        return formatArray(type, bytes);
    case ValueKind::Structure:
        return formatStructure(type, bytes);
    case ValueKind::Prefix:
        return formatPrefix(prefixOf(bytes).first, prefixOf(bytes).second);
    case ValueKind::TextPrefix: {
        const auto [data, bits] = prefixOf(bytes);
        return quoted(characters(data.first(bits / 8)));
    }
    case ValueKind::DomainSuffix: {
        const auto [data, bits] = prefixOf(bytes);
        const auto name = formatDomainSuffix(data.first(bits / 8));
        return name.empty() ? name : quoted(name); // of what a program has written itself
    }
    case ValueKind::Opaque:
        break;
    }
    return hexadecimal(bytes);
}

} // namespace filterd
