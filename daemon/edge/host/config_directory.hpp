// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Files by name in several directories: the highest directory wins, a link to /dev/null masks.

#include "core/syntax/config_text.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

inline constexpr std::string_view kQueueSuffix = ".queue";
inline constexpr std::string_view kFilterSuffix = ".filter";
inline constexpr std::string_view kDropInSuffix = ".conf";

// The files that a set of directories offers: for each name the one in the highest of them.
struct Offer {
    std::map<std::string, std::filesystem::path> files; // in lexical order of the names
    std::map<std::filesystem::path, Error> unreadable;  // directories that could not be listed
    std::vector<Error> misnamed;
};

// Adds the files of a directory that end with `suffix` and of whose name no higher one is known.
void listInto(Offer& offer, const std::filesystem::path& directory, std::string_view suffix);

// As systemd: a link to /dev/null masks, and so does an empty file.
[[nodiscard]] bool isMasked(const std::filesystem::path& path);

// BadConfiguration for what is no regular file of at most 1 MiB.
[[nodiscard]] Result<ConfigText> readText(const std::filesystem::path& path);

// The drop-ins of all roots apply together, by their own names; a masked one is there without text. Of what
// cannot be read there is an error in place of a drop-in.
using DropIns = std::map<std::string, std::optional<ConfigText>>;
[[nodiscard]] DropIns readDropIns(const std::vector<std::filesystem::path>& roots, const std::string& name,
                                  std::vector<Error>& errors);

// A BadConfiguration about a whole file.
[[nodiscard]] Error pathError(const std::filesystem::path& path, const std::string& what);

} // namespace filterd
