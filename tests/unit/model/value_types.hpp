// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Types of values that several tests use.

#include "core/value/value_type.hpp"

#include <cstdint>

namespace filterd::test {

inline ValueType simple(ValueKind kind, std::uint32_t size) {
    ValueType type;
    type.kind = kind;
    type.size = size;
    return type;
}

inline ValueType verdict() {
    auto type = simple(ValueKind::Enumeration, 4);
    type.enumerators = {{"deny", 0}, {"allow", 1}};
    return type;
}

} // namespace filterd::test
