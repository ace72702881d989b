// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Text that came from outside, on its way to a person.

#include <cstddef>
#include <string>
#include <string_view>

namespace filterd {

// Safe to show on a terminal and in a log: a control character becomes \xNN, and lines after the first begin
// with spaces, so that none of them passes for a line of ours.
[[nodiscard]] std::string showable(std::string_view text);

// The beginning, of `most` bytes or less: no character is cut in two.
[[nodiscard]] std::string_view beginningOf(std::string_view text, std::size_t most);
// The same of the end.
[[nodiscard]] std::string_view endOf(std::string_view text, std::size_t most);

// The words in their order, with the separator between them.
[[nodiscard]] std::string joined(const auto& words, std::string_view separator) {
    std::string text;
    for (const auto& word : words) {
        if (!text.empty())
            text += separator;
        text += word;
    }
    return text;
}

} // namespace filterd
