// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The commands behind ExecStart= and the like, as far as they can be read without running them.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

// A program's name without its path, and its arguments.
using Command = std::vector<std::string>;

// Those that systemd runs, those in a script that a shell is given by -c, and those behind env, sudo and the
// like: of such a one every word may begin the command.
[[nodiscard]] std::vector<Command> commandsOf(std::string_view line);

template<class Names>
[[nodiscard]] bool listHas(const Names& names, std::string_view word) {
    return std::find(names.begin(), names.end(), word) != names.end();
}

} // namespace filterd
