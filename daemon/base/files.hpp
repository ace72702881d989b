// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Small file helpers with Result errors.

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace filterd {

// The whole content of a regular file of at most `limit` bytes.
[[nodiscard]] Result<std::string> readFile(const std::filesystem::path& path, std::size_t limit);

// Writes beside the target, then renames over it: a reader sees the old content or the new, never a part.
[[nodiscard]] Status replaceFile(const std::filesystem::path& path, std::string_view content,
                                 mode_t mode = 0600);

// No error if there is none.
[[nodiscard]] Status removeFile(const std::filesystem::path& path);

// Makes an empty file if there is none.
[[nodiscard]] Status touchFile(const std::filesystem::path& path);

} // namespace filterd
