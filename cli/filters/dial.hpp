// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Something that a person turns up and down with + and -, and watches meanwhile.

#include "cli/verb/verb.hpp"

#include <functional>
#include <string>

namespace filterd::cli {

struct Dial {
    std::function<client::Result<std::string>()> line;      // what is told each second and after each key
    std::function<client::Result<void>(bool up)> turn = {}; // one step
    bool endsWithInput = false; // without a terminal: when the standard input does
};

// Until q, a signal or an error. The terminal gets its settings back in every case, and a signal ends the
// process as it would have without the dial. Without a terminal the keys come from the standard input.
[[nodiscard]] Exit watch(const Dial& dial);

} // namespace filterd::cli
