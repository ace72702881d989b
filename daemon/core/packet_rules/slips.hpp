// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Expressions that are legal and mean something else than they look like to most who write them.

#include <optional>
#include <string>
#include <string_view>

namespace filterd::packet {

// Returns what the expression means, and how to say what was meant, as a sentence without its subject.
// Nothing of it is said where parentheses, or the length of a prefix, show that it is meant.
[[nodiscard]] std::optional<std::string> slipIn(std::string_view expression);

} // namespace filterd::packet
