// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Holds what the files of the machine say.

#include "core/config/filter_sources.hpp"
#include "core/model/rule.hpp"
#include "core/units/unit_relations.hpp"

#include <set>
#include <string>
#include <vector>

namespace filterd {

struct Configuration {
    std::vector<Rule> rules; // in the order in which they are tried: of units' files, then of .queue files
    FilterSources filters;
    UnitRelations units = {};
    std::vector<std::string> errors; // "FILE:LINE: …", or "FILE: …" when the whole file is at fault
    std::vector<std::string> warnings = {}; // of what files say where nobody reads it: "FILE:LINE: …"
    std::set<std::string> survived = {};    // those of them whose file keeps what it said when it was good
    std::set<std::string> held = {};        // those whose units get what OnFailure= says
    bool operator==(const Configuration&) const = default;
};

} // namespace filterd
