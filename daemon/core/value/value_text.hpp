// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Lists in text: items with commas or blanks between them, braces around nested ones, quotes around what
// holds any of these.

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace filterd {

// Quotes and braces stay in the items. Errors: InvalidArgument for braces or quotes that do not close, and
// for a comma without an item on each side.
[[nodiscard]] Result<std::vector<std::string>> splitItems(std::string_view text);

// At the first '=' outside quotes and braces; the second is missing when there is none.
[[nodiscard]] std::pair<std::string, std::optional<std::string>> splitAssignment(std::string_view item);

// Without surrounding blanks; without the braces around the whole.
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::string_view withoutBraces(std::string_view text);

// Without quotes, if it has any, and with quotes, if it needs any.
[[nodiscard]] std::string unquoted(std::string_view text);
[[nodiscard]] std::string quoted(std::string_view text);

// Returns why no path that a client sends, and that http-path can judge, begins so; empty if one can.
[[nodiscard]] std::string faultOfPathBeginning(std::string_view text);

} // namespace filterd
