// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/type_check.hpp"

#include "core/value/address.hpp"

namespace filterd::worker {

namespace {

constexpr int kDeepest = 32;
constexpr std::uint32_t kLargest = std::uint32_t{1} << 24;

bool isSizeOfItsKind(const ValueType& type) {
    const auto isAddress = [](std::size_t size) { return size == kAddress4 || size == kAddress6; };
    switch (type.kind) {
    case ValueKind::Opaque:
    case ValueKind::Structure:
    case ValueKind::Text:
        return true;
    case ValueKind::Integer:
    case ValueKind::Boolean:
    case ValueKind::Enumeration:
        return type.size == 1 || type.size == 2 || type.size == 4 || type.size == 8;
    case ValueKind::Address:
        return isAddress(type.size);
    case ValueKind::PortSet:
        return type.size == kPortSetSize;
    case ValueKind::Array:
        return type.elements.size() == 1 && type.elements.front().type.size > 0;
    case ValueKind::Prefix:
        return type.size > kPrefixHeader && isAddress(type.size - kPrefixHeader);
    case ValueKind::TextPrefix:
    case ValueKind::DomainSuffix:
        return type.size > kPrefixHeader;
    }
    return false;
}

bool isSoundAt(int depth, const ValueType& type) {
    if (depth > kDeepest || type.size > kLargest || !isSizeOfItsKind(type))
        return false;
    for (const auto& element : type.elements)
        if (!isSoundAt(depth + 1, element.type) || element.offset > type.size ||
            element.type.size > type.size - element.offset)
            return false;
    if (type.count == 0 || type.elements.empty())
        return true;
    const auto& first = type.elements.front();
    return std::uint64_t{type.count} * first.type.size <= type.size - first.offset;
}

} // namespace

bool isSound(const ValueType& type) { return isSoundAt(0, type); }

} // namespace filterd::worker
