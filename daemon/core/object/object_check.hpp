// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Checks an ELF object before a library reads it that takes what the object says of itself for true: libbpf
// follows type ids, section numbers and offsets unchecked, and one wrong byte ends the process.

#include "base/result.hpp"

#include <cstddef>
#include <span>

namespace filterd {

// InvalidObject: what is wrong, and where. An object that passes need not make sense, but every number in its
// headers, symbols, relocations and type information leads to where it may lead.
[[nodiscard]] Status checkObject(std::span<const std::byte> bytes);

} // namespace filterd
