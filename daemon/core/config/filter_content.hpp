// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what a filter's file asks to be loaded, for the loader and for the check alike.

#include "core/config/filter_sources.hpp"
#include "core/facts/facts.hpp"
#include "core/packet_rules/rule_notes.hpp"

#include <functional>
#include <set>

namespace filterd {

// Reads the object at an absolute path; at most kMaxObjectSize bytes.
using ObjectReader = std::function<Result<std::string>(const std::string& path)>;

// For what is not Pinned=. Errors: the reader's.
[[nodiscard]] Result<ObjectRequest> requestFor(const FilterDefinition& definition, const ObjectReader& read);

// The error with the FILE:LINE where it can be mended: of the parameter or the rule that it is about, else
// where the definition says what to load.
[[nodiscard]] Error inFile(const FilterDefinition& definition, const Error& error);

// Says that a filter begins anew, wholly or in part, in the place of the one before it.
enum class Forgotten { AtReload, Already };
[[nodiscard]] std::string forgottenBy(const FilterName& name, const std::vector<std::string>& maps,
                                      Forgotten when);

// Returns whether somebody misses what files define while other content is loaded under the name: who has
// written one of the files, or names the filter in a rule of a file. What comes with the system is there to
// be replaced.
[[nodiscard]] bool isMissed(const FilterName& name, const FilterSources& sources,
                            const std::set<FilterName>& inFiles);

// Says that other content is loaded under the name, and how to have the file's.
[[nodiscard]] std::string displaced(const FilterDefinition& definition);

// The fault of a filter that keeps nothing from coming into force.
[[nodiscard]] std::string faultOfUnused(const std::string& fault);

// Returns what its rules leave open or cannot do, each with its FILE:LINE.
[[nodiscard]] std::vector<std::string> notesOf(const FilterDefinition& definition, packet::RuleNotes& rules);

} // namespace filterd
