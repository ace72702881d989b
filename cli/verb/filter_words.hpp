// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Filters of a queue on the command line: separated by commas or by blanks, as in the files.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace filterd::cli {

// Returns whether a word can only be a unit, a glob or a path: no filter's name has such characters.
[[nodiscard]] bool isUnitWord(std::string_view word);

// The words of a command line, where a list that lacks its value has a blank, which lacksAName(), and where
// the filters behind --ingress and --egress, up to the next option or unit, are one word with blanks. CLI11's
// own lists would take the unit, and the "--" before one that begins with a dash.
[[nodiscard]] std::vector<std::string> joinLists(const std::vector<std::string>& words);

// Returns whether a name is missing before or behind a comma, or there are blanks alone: a script's variable
// is empty. An empty word is an empty queue.
[[nodiscard]] bool lacksAName(const std::string& list);

// "A,B" and "C D" as A, B, C and D. A number or a range behind the comma of an instance of ports belongs to
// the instance: "port@80,443" is one filter. An empty word is an empty queue.
[[nodiscard]] std::vector<std::string> filterNames(const std::vector<std::string>& words);

} // namespace filterd::cli
