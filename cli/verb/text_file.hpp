// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Text that a user has put into a file.

#include "cli/verb/verb.hpp"

#include <string>

namespace filterd::cli {

// "-" is the standard input. At most 16 MiB, and no zero byte: what has more of either is no text. `what` it
// should be stands in the error.
[[nodiscard]] client::Result<std::string> readTextFile(const std::string& path, const std::string& what);

} // namespace filterd::cli
