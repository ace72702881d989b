// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/packets/counters.hpp"

#include "cli/terminal/terminal.hpp"

namespace filterd::cli {

void printCounters(const client::Counters& counters) {
    std::string text = std::to_string(counters.passed) + " passed";
    for (const auto& drops : counters.dropped)
        text += ", " + std::to_string(drops.packets) + " dropped " +
                (drops.filter.empty() ? "while held"
                                      : "by " + drops.filter + (drops.logOnly ? " (log only)" : ""));
    printField(counters.direction + " packets", text);
}

} // namespace filterd::cli
