// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/value_type.hpp"

#include "core/value/address.hpp"
#include "core/value/integers.hpp"

#include <algorithm>

namespace filterd {

namespace {

std::string describeInteger(const ValueType& type) {
    return "integer from " + text(smallest(type)) + " to " + text(largest(type)) +
           (type.bigEndian && type.size == kAddress4 ? ", or IPv4 address" : "");
}

std::string describeEnumeration(const ValueType& type) {
    std::string names;
    for (const auto& [name, number] : type.enumerators)
        names += (names.empty() ? "" : ", ") + name;
    return "one of " + names;
}

std::string describeStructure(const ValueType& type) {
    std::string members;
    for (const auto& member : type.elements)
        members += (members.empty() ? "" : ", ") + member.name + "=" + describe(member.type);
    return "{" + members + "}";
}

std::string describePrefix(const ValueType& type) {
    return type.size == kPrefixHeader + kAddress6
               ? "IPv4 or IPv6 prefix such as 192.0.2.0/24 or 2001:db8::/32"
               : "IPv4 prefix such as 192.0.2.0/24";
}

} // namespace

WideInteger smallest(const ValueType& type) {
    const auto of = smallest(type.size, type.isSigned);
    return type.least ? std::max(of, WideInteger{*type.least}) : of;
}

WideInteger largest(const ValueType& type) {
    const auto of = largest(type.size, type.isSigned);
    return type.most ? std::min(of, WideInteger{*type.most}) : of;
}

bool isOfPaths(const ValueType& type) { return type.name == "struct path_prefix"; }

bool ValueType::operator==(const ValueType&) const = default;
bool Member::operator==(const Member&) const = default;

std::string describe(const ValueType& type) {
    switch (type.kind) {
    case ValueKind::Integer:
        return describeInteger(type);
    case ValueKind::Boolean:
        return "true or false";
    case ValueKind::Enumeration:
        return describeEnumeration(type);
    case ValueKind::Text:
        return "text of up to " + std::to_string(type.size - 1) + " bytes";
    case ValueKind::Address:
        return type.size == kAddress6 ? "IPv4 or IPv6 address" : "IPv4 address";
    case ValueKind::PortSet:
        return std::string(type.least.value_or(0) > 0 ? "one or more " : "") +
               "ports and ranges such as 80,443,8000-8080";
    case ValueKind::Array:
        return "list of up to " + std::to_string(type.count) + " of (" +
               describe(type.elements.front().type) + ")";
    case ValueKind::Structure:
        return describeStructure(type);
    case ValueKind::Prefix:
        return describePrefix(type);
    case ValueKind::TextPrefix:
        return std::string(isOfPaths(type) ? "beginning of a path such as /api/" : "beginning of a text") +
               ", of up to " + std::to_string(type.size - kPrefixHeader) + " bytes";
    case ValueKind::DomainSuffix:
        return "domain such as example.org, for it and all below it";
    case ValueKind::Opaque:
        break;
    }
    return std::to_string(type.size) + " bytes in hexadecimal";
}

} // namespace filterd
