// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Says what is wrong with a command line.

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace filterd::cli {

// In a sentence; of a verb that does not exist, with the one that may have been meant.
[[nodiscard]] std::string complaintOf(const CLI::App& app, const CLI::ParseError& error);

// Names the first argument that is not UTF-8, which neither the bus nor JSON carries; empty if there is none.
[[nodiscard]] std::string complaintOfText(const std::vector<std::string>& arguments);

} // namespace filterd::cli
