// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds what in files and in their names is meant for filterd, and is read by nobody.

#include "core/syntax/config_text.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

// In a unit's file: a section's name that is nearly [X-Filterd], a header that is not closed, or a key of
// ours, or nearly one, that stands elsewhere. Each as FILE:LINE: …
[[nodiscard]] std::vector<std::string> misplacedSettings(const ConfigText& file);

// Where the files of a unit ask for filterd-ensure@UNIT.service by a name that is too long for a unit, so
// that systemd ignores it. Each as FILE:LINE: …
[[nodiscard]] std::vector<std::string> impossibleDemands(const std::string& unit,
                                                         const std::vector<ConfigText>& files);

// The prefix of the units that fail unless another one's queues are up.
inline constexpr std::string_view kEnsurePrefix = "filterd-ensure@";

// Returns whether a file has a section of ours for units' files, or nearly one.
[[nodiscard]] bool isMeantForUnits(std::string_view text);

// Returns whether a file has a section of .queue and .filter files.
[[nodiscard]] bool isMeantForFilterd(std::string_view text);

// Tells whether a file is what editors and package managers leave beside a file (x.conf~, x.conf.bak,
// .x.conf.swp), which nobody takes for it.
[[nodiscard]] bool isLeftBehind(std::string_view fileName);

// The name without what makes it hidden or a copy: "x.queue" for ".x.queue", "x.queue~" and "x.queue.bak";
// empty for others, and for what says that it is not to be read (x.queue.disabled).
[[nodiscard]] std::string nameMeant(std::string_view fileName);

// The ending, ".queue" or ".filter", that a file's name nearly has (x.que, x.Queue, x.filters); empty if it
// has none of the kind, or one of them.
[[nodiscard]] std::string nearlySuffix(std::string_view fileName);

// The name of a unit that a file's or a folder's name, which is none, may mean: "nginx.service" for
// "nginx.servce" and "nginx".
[[nodiscard]] std::string unitMeant(const std::string& name, const std::set<std::string>& known);

} // namespace filterd
