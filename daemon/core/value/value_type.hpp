// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Describes what a filter's parameter or the key or value of its map is, as read from the object's type
// information (BTF).

#include "core/value/integers.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace filterd {

// The numbers are kept in records over a restart: never reuse one.
enum class ValueKind : std::uint8_t {
    Opaque = 0,       // no type that can be written down: its bytes, in hexadecimal
    Integer = 1,      // 1, 2, 4 or 8 bytes
    Boolean = 2,      // 1, 2, 4 or 8 bytes, 0 or 1
    Enumeration = 3,  // 1, 2, 4 or 8 bytes
    Text = 4,         // an array of char, ended by a zero
    Address = 5,      // IPv4 in 4 bytes (struct in_addr) or IPv6 in 16 (struct in6_addr)
    PortSet = 6,      // one bit per port: struct port_set
    Array = 7,        // of `elements`.front(), `count` times
    Structure = 8,    // of `elements`
    Prefix = 9,       // the key of an LPM trie: length in bits, then an address as above
    TextPrefix = 10,  // the key of an LPM trie: length in bits, then characters
    DomainSuffix = 11 // the key of an LPM trie: length in bits, then a domain name backwards
};

struct Member;

struct ValueType {
    ValueKind kind = ValueKind::Opaque;
    std::string name; // as the object calls it: "unsigned int", "struct flow"
    std::uint32_t size = 0;
    bool isSigned = false;  // Integer, Enumeration
    bool bigEndian = false; // Integer: __be16, __be32, __be64
    std::uint32_t count = 0;
    std::vector<Member> elements;
    std::vector<std::pair<std::string, std::int64_t>> enumerators;
    // Is for an Integer, as its object says; a PortSet with a least of 1 is not empty.
    std::optional<std::int64_t> least = std::nullopt;
    std::optional<std::int64_t> most = std::nullopt;

    bool operator==(const ValueType&) const;
};

struct Member {
    std::string name; // of an array's element: empty
    std::uint32_t offset = 0;
    ValueType type;
    bool operator==(const Member&) const;
};

inline constexpr std::size_t kPortSetSize = 65536 / 8;
inline constexpr std::size_t kPrefixHeader =
    sizeof(std::uint32_t); // the length in bits before a prefix's bytes

// Tells whether a TextPrefix is that of a path in a request.
[[nodiscard]] bool isOfPaths(const ValueType& type);

// Return the limits of an Integer.
[[nodiscard]] WideInteger smallest(const ValueType& type);
[[nodiscard]] WideInteger largest(const ValueType& type);

// Says for people what the type accepts: "integer from 0 to 65535", "ports and ranges such as
// 80,443,8000-8080".
[[nodiscard]] std::string describe(const ValueType& type);

} // namespace filterd
