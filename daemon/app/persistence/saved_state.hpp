// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Writes what only filterd knows as text for the store, and reads it back (I5).

#include "core/config/configuration.hpp"
#include "core/model/rule.hpp"
#include "core/rules/references.hpp"
#include "core/rules/trials.hpp"

#include <set>
#include <string>
#include <vector>

namespace filterd {

struct SavedState {
    std::string busGuid; // clients' unique names mean something only on this bus
    References references;
    std::vector<Rule> busRules;
    std::vector<Trial> trials;
    std::set<FilterName> defined; // loaded because a file defines them
};

[[nodiscard]] std::string serialise(const SavedState& state);
// BadConfiguration when the text is damaged.
[[nodiscard]] Result<SavedState> parseState(const std::string& text);

// The good part of the configuration, for when a file of it is broken at the next start.
[[nodiscard]] std::string serialiseConfiguration(const Configuration& configuration);
// BadConfiguration when the text is damaged; nothing in an empty one.
[[nodiscard]] Result<Configuration> parseConfiguration(const std::string& text);

} // namespace filterd
