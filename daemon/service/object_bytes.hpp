// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Takes what a caller hands over as the content of a filter: bytes are copied before anything looks at them.

#include "base/result.hpp"
#include "core/facts/content.hpp"

#include <string>

namespace filterd {

// From the start of a regular file, at most kMaxObjectSize bytes. InvalidArgument, LimitExceeded.
[[nodiscard]] Result<ElfObject> readObject(int fd);
// Reads the object at an absolute path; "builtin:NAME" in its place stands for a filter of our own.
[[nodiscard]] Result<FilterContent> readContent(const std::string& path);

} // namespace filterd
