// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Colours where a person looks, plain text where a program reads.

#include <cstddef>
#include <string>
#include <string_view>

namespace filterd::cli {

enum class Colour { Plain, Bold, Dim, Red, Green, Yellow };

[[nodiscard]] bool isTerminal();
// In characters: what COLUMNS says, else the terminal itself; 80 if neither does.
[[nodiscard]] std::size_t terminalWidth();
// Returns whether the locale has more than ASCII.
[[nodiscard]] bool speaksUtf8();

// Coloured on a terminal, unless NO_COLOR is set.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour);

// Green for what is as it should be, yellow and red for what is not.
[[nodiscard]] Colour colourOfState(std::string_view state);

void print(std::string_view text);
// Writes what has been printed, at once also into a pipe. False: something could not be written.
bool flush();
// Why it could not: the first error number, or 0.
[[nodiscard]] int outputError();
// "    label: text"
void printField(std::string_view label, std::string_view text);

} // namespace filterd::cli
