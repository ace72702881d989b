// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/text.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::string_view kNextLine = "\n    ";

bool isControl(unsigned char c) { return c < 0x20 || c == 0x7f; }
// U+0080 to U+009F in UTF-8: a terminal may take them for control characters, too.
bool isLateControl(unsigned char lead, unsigned char next) {
    return lead == 0xc2 && next >= 0x80 && next < 0xa0;
}

void escape(unsigned char c, std::string& into) {
    constexpr char kDigits[] = "0123456789abcdef";
    into += "\\x";
    into += kDigits[c >> 4];
    into += kDigits[c & 0xf];
}

// Whether a character goes on with this byte of UTF-8.
bool goesOn(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

} // namespace

std::string_view beginningOf(std::string_view text, std::size_t most) {
    if (text.size() <= most)
        return text;
    while (most > 0 && goesOn(text[most]))
        --most;
    return text.substr(0, most);
}

std::string_view endOf(std::string_view text, std::size_t most) {
    std::size_t from = text.size() - std::min(text.size(), most);
    while (from > 0 && from < text.size() && goesOn(text[from]))
        ++from;
    return text.substr(from);
}

std::string showable(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : '\0');
        if (c == '\n')
            shown += kNextLine;
        else if (isControl(c))
            escape(c, shown);
        else if (isLateControl(c, next))
            escape(static_cast<unsigned char>(text[++at]), shown);
        else
            shown += text[at];
    }
    return shown;
}

} // namespace filterd
