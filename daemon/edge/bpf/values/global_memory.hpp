// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The global variables of a loaded filter: the memory of an array map that its programs address directly.

#include "base/result.hpp"
#include "core/value/value.hpp"

namespace filterd::bpf {

[[nodiscard]] Result<Bytes> readGlobals(int map, std::size_t offset, std::size_t size);

// Writes into the memory itself, so that variables beside it which a program changes keep what it wrote. Each
// aligned word of up to 8 bytes goes from old to new at once; a larger value changes word by word.
[[nodiscard]] Status writeGlobals(int map, std::size_t offset, const Bytes& value);

} // namespace filterd::bpf
