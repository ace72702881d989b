// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/syntax/config_text.hpp"

#include <algorithm>
#include <array>
#include <strings.h>

namespace filterd {

namespace {

constexpr std::string_view kWhitespace = " \t\r\n";
constexpr std::array<const char*, 6> kTrue{"1", "yes", "y", "true", "t", "on"};
constexpr std::array<const char*, 6> kFalse{"0", "no", "n", "false", "f", "off"};

} // namespace

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> found;
    for (;;) {
        const auto begin = text.find_first_not_of(kWhitespace);
        if (begin == std::string_view::npos)
            return found;
        const auto end = text.find_first_of(kWhitespace, begin);
        found.emplace_back(text.substr(begin, end - begin));
        if (end == std::string_view::npos)
            return found;
        text.remove_prefix(end);
    }
}

Result<bool> parseBoolean(std::string_view text) {
    const std::string word(text);
    const auto is = [&](const char* one) { return ::strcasecmp(word.c_str(), one) == 0; };
    if (std::any_of(kTrue.begin(), kTrue.end(), is))
        return true;
    if (std::any_of(kFalse.begin(), kFalse.end(), is))
        return false;
    return failure(ErrorCode::BadConfiguration,
                   "'" + word + "' is neither 'yes' nor 'no', write one of them");
}

} // namespace filterd
