// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Picks what a person needs of a verifier's log, which can have a million lines.

#include <string>
#include <string_view>

namespace filterd::bpf {

// The last lines that say something about the fault: no statistics, bounded in lines and width, printable.
[[nodiscard]] std::string endOfVerifierLog(std::string_view log);

// Bytes out of an object or a log that are safe in a message: anything but printable ASCII becomes '?'.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace filterd::bpf
