// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Types out of an object's BTF, as far as values can be written for them.

#include "core/value/value_type.hpp"

#include <bpf/btf.h>

namespace filterd::bpf {

// Names that mean more than their members do: struct in_addr, in6_addr, port_set; __be16, __be32, __be64.
[[nodiscard]] ValueType describeType(const btf* types, __u32 id);

// The key of a map. That of an LPM trie is a length in bits before an address, characters, or, in a
// struct domain_suffix, a domain name backwards.
[[nodiscard]] ValueType describeKey(const btf* types, __u32 id, std::uint32_t mapType, std::uint32_t size);

// Without type information: an integer if it can be one.
[[nodiscard]] ValueType plainType(std::uint32_t size);

// The type behind typedefs, const and volatile; whether volatile was among them, at the top or of the items.
struct Unqualified {
    const btf_type* type = nullptr;
    bool isVolatile = false;
    bool bigEndian = false;
};
[[nodiscard]] Unqualified unqualified(const btf* types, __u32 id);

} // namespace filterd::bpf
