// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What the fuzzers have in common: an input cut into parts, and what must hold whatever the input is.

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utf8cpp/utf8.h>
#include <vector>

namespace filterd::fuzz {

// Ends the process where it does not hold: libFuzzer keeps the input.
inline void require(bool holds, std::string_view what, std::string_view seen = {}) {
    if (holds)
        return;
    std::fprintf(stderr, "what must hold does not: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
                 static_cast<int>(seen.size()), seen.data());
    std::abort();
}

[[nodiscard]] inline std::string_view textOf(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// What stands between lines of four equals signs: files that belong together.
[[nodiscard]] inline std::vector<std::string> partsOf(std::string_view text) {
    constexpr std::string_view kBetween = "\n====\n";
    std::vector<std::string> parts;
    for (auto end = text.find(kBetween); end != std::string_view::npos; end = text.find(kBetween)) {
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(end + kBetween.size());
    }
    parts.emplace_back(text);
    return parts;
}

[[nodiscard]] inline bool isUtf8(std::string_view text) { return utf8::is_valid(text.begin(), text.end()); }

// Messages go over the bus and into the journal, which take no other text.
inline void requireReadable(const Error& error) {
    require(!error.message.empty(), "an error says what is wrong");
    require(isUtf8(error.message), "an error is text", error.message);
}

// The same of an error in a file, which says where it stands.
inline void requirePlace(const Error& error, std::string_view folder) {
    requireReadable(error);
    require(error.message.starts_with(folder), "an error in a file begins with the file", error.message);
}

} // namespace filterd::fuzz
