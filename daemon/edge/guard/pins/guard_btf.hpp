// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what the guard needs to know of the kernel's types.

#include "base/result.hpp"

namespace filterd {

// Returns whether the kernel describes its types. Needs no libbpf.
[[nodiscard]] Status kernelTypes();

} // namespace filterd
