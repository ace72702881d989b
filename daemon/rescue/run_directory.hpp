// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Decides who may change the files in the run directory.

#include "base/unique_fd.hpp"
#include "rescue/rescue.hpp"

namespace filterd::rescue {

// One off or on at a time: held while the descriptor lives. Waits at most ten seconds.
[[nodiscard]] Result<UniqueFd> lockRun(const Roots& roots);

} // namespace filterd::rescue
