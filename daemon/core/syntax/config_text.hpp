// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what every kind of configuration file has in common.

#include "core/syntax/unit_file.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace filterd {

struct ConfigText {
    std::string path;
    std::string text;
    bool operator==(const ConfigText&) const = default;
};

// Why a file cannot be read, and whether what it said when it was good is kept, or else its units get what
// OnFailure= says.
struct BrokenFile : Error {
    bool isSurvived = false;
    bool isHeld = true;
};

[[nodiscard]] std::vector<std::string> words(std::string_view text);

// Reads a boolean as systemd does. Errors: BadConfiguration.
[[nodiscard]] Result<bool> parseBoolean(std::string_view text);

} // namespace filterd
