// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// --confirm TIME: a change that goes back by itself.

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

namespace filterd::cli {

// "90", "90s", "2min" or "1h", at most a day; 0 if it is not given.
CLI::Option* addConfirm(CLI::App& verb, std::uint32_t& seconds);

// How to keep what is on trial now.
void printConfirm(const std::string& unit, std::uint32_t seconds, bool json);

} // namespace filterd::cli
