// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The files in the run directory.

#include "base/unique_fd.hpp"
#include "rescue/rescue.hpp"

namespace filterd::rescue {

// One off or on at a time: held while the descriptor lives. Waits at most ten seconds.
[[nodiscard]] Result<UniqueFd> lockRun(const Roots& roots);

[[nodiscard]] Status raiseFlag(const Roots& roots);

// No error if there is none.
[[nodiscard]] Status removeFile(const std::filesystem::path& path);

} // namespace filterd::rescue
