// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Files of filterd's that were changed after the daemon has read them.

#include <filterd/filterd.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace filterd::cli {

// By the times that the kernel has noted, of .queue and .filter files, their drop-ins and the directories of
// these; and .queue files of rules that are there no more. Units' files are systemd's: 'systemctl
// daemon-reload' has them read.
[[nodiscard]] std::vector<std::string> filesChangedSince(std::chrono::system_clock::time_point time,
                                                         const std::vector<client::UnitRule>& rules);
// The same of the daemon that is asked: nothing if it is on another machine.
[[nodiscard]] client::Result<std::vector<std::string>> changedFiles(const client::Client& client);
// "files were changed after filterd has read them: …; 'filterctl reload' reads them"
[[nodiscard]] std::string changeText(const std::vector<std::string>& changed);

// Returns what was changed and is read, but not in force, because nothing has the filter loaded.
[[nodiscard]] std::vector<std::string> unusedFilters(const std::vector<std::string>& changed,
                                                     const std::vector<client::FilterSummary>& loaded,
                                                     const std::vector<client::UnitRule>& rules);

} // namespace filterd::cli
