// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Whether an answer can be right: who parses what a stranger wrote may say anything.

#include "edge/bpf/filters/program_works.hpp"

namespace filterd::worker {

// Errors: Internal.
[[nodiscard]] Status checkProgram(int program);
// The descriptors are what they are said to be, and no index leads out of what it counts in.
[[nodiscard]] Status checkMade(const bpf::MadeFilter& made);

} // namespace filterd::worker
