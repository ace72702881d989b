// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A file of the entries of a map, one on a line.

#include <filterd/filterd.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace filterd::cli {

struct GivenEntries {
    struct Entry {
        std::string key; // as it is written
        std::size_t line = 0;
    };
    std::string file;
    std::string text; // without comments and blank lines
    std::vector<Entry> entries;
};

// Errors: FILE:LINE of what cannot be read, and of a key that stands there twice.
[[nodiscard]] client::Result<GivenEntries> parseEntriesFile(const std::string& file, const std::string& text);

// The daemon's error, with the FILE:LINE of the entry that it names.
[[nodiscard]] client::Error inFile(const GivenEntries& given, client::Error error);

} // namespace filterd::cli
