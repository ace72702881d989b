// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds what lies in the configuration directories, is meant for filterd by its text, and is not read by it.

#include <filesystem>
#include <string>
#include <vector>

namespace filterd {

// One sentence each: files with other endings, hidden ones, copies of what is gone, files in folders,
// drop-ins that do not end in .conf, and those for a .queue file that is in none of the directories. The
// folders that are called nearly as the directories are looked for in `parents` (/etc/filterd.d).
[[nodiscard]] std::vector<std::string> strayFiles(const std::vector<std::filesystem::path>& roots,
                                                  const std::vector<std::filesystem::path>& parents);

} // namespace filterd
