// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Checks what an object says of its instructions (.BTF.ext): functions, lines of source and relocations by
// type.

#include "core/object/btf_check.hpp"

namespace filterd::object {

// InvalidObject.
[[nodiscard]] Status checkBtfExt(ByteView section, const BtfTypes& types);

} // namespace filterd::object
