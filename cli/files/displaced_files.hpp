// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds .filter files that are not in force, since other content was loaded under the names that they define.

#include "core/config/configuration.hpp"

#include <map>
#include <string>

namespace filterd::cli {

// Returns what is to be said of each, as a reload would say it of these files. Asks the daemon of this
// machine what is loaded; without one, nothing is.
[[nodiscard]] std::map<FilterName, std::string> displacedFiles(const Configuration& files);

} // namespace filterd::cli
