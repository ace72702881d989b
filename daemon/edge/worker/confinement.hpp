// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What a worker gives up before it sees the first byte of a stranger: it may load programs and read a few
// files, and nothing else.

#include "base/result.hpp"

namespace filterd::worker {

// Errors: KernelRefused.
[[nodiscard]] Status confineProcess();

} // namespace filterd::worker
