// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The bytes of a BPF object that a caller hands over, copied before anything looks at them.

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace filterd {

// From the start of a regular file, at most kMaxObjectSize bytes. InvalidArgument, LimitExceeded.
[[nodiscard]] Result<std::vector<std::byte>> readObject(int fd);
// "builtin:NAME" stands for itself.
[[nodiscard]] Result<std::vector<std::byte>> readObject(const std::string& path);

} // namespace filterd
