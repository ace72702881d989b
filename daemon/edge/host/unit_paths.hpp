// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The unit files of the system and their drop-ins, as systemd finds them.

#include "core/config/unit_rules.hpp"

#include <filesystem>
#include <vector>

namespace filterd {

// systemd's unit paths for the system, from the highest to the lowest.
[[nodiscard]] std::vector<std::filesystem::path> systemUnitPaths();

// Those of every user's manager. What is in a user's home or runtime directory, what their manager's
// generators make too, is their own and binds nobody.
[[nodiscard]] std::vector<std::filesystem::path> userUnitPaths();

struct UnitPaths {
    std::vector<std::filesystem::path> paths; // from the highest to the lowest
    std::filesystem::path root = "/";         // before the absolute paths of links
    bool areAll = true; // where units' files can be; if not, what an alias names may have its file elsewhere
};

// Errors: of a path that cannot be listed. A path that is not there is none.
[[nodiscard]] UnitFiles readUnitFiles(const UnitPaths& paths, std::vector<Error>& errors);

} // namespace filterd
