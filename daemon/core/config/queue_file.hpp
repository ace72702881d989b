// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A .queue file with its drop-ins becomes a rule.

#include "core/model/rule.hpp"
#include "core/syntax/config_text.hpp"

#include <optional>
#include <string>
#include <vector>

namespace filterd {

// `files`: the main file, which becomes the rule's source, then its drop-ins in the order they apply.
// Errors: BadConfiguration that begins with FILE:LINE.
[[nodiscard]] Result<Rule> parseQueueFile(const std::vector<ConfigText>& files);

// Returns what is left of a broken file of which no good state is known: the units that can be read in its
// [Match] get what its OnFailure= says. Returns nothing if no unit can be read.
[[nodiscard]] std::optional<Rule> brokenRule(const std::vector<ConfigText>& files, const Error& error);

// Applies one assignment of [Queue], or of a unit's [X-Filterd], to a rule; `path` is where it stands.
// BadConfiguration.
[[nodiscard]] Status applyQueueSetting(const std::string& path, const UnitFileEntry& entry, Rule& rule);

} // namespace filterd
