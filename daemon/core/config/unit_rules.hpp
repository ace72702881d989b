// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The [X-Filterd] sections of units' files and their drop-ins become rules, as systemd would put a unit
// together from them.

#include "core/model/rule.hpp"
#include "core/syntax/config_text.hpp"
#include "core/units/unit_relations.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace filterd {

inline constexpr std::string_view kUnitSection = "X-Filterd";

struct UnitDropIn {
    std::string file;               // "50-filters.conf"
    std::size_t rank = 0;           // of its unit path, 0 is the highest
    std::optional<ConfigText> text; // none: masked
};

struct UnreadableFile {
    Error error;
    bool isMissing = false; // a link that leads nowhere: systemd does not read it either
};

// The files in the unit paths.
struct UnitFiles {
    std::map<std::string, ConfigText> fragments; // by unit name, of the highest path that has it
    std::set<std::string> masked;
    UnitRelations relations;
    std::vector<std::string> warnings = {}; // of misplaced settings
    std::string manager = {}; // before the names in rules' targets: "user@*.service/" of users' units
    // By directory, without ".d": "web@1.service", "web@.service", "web-.service", "service".
    std::map<std::string, std::vector<UnitDropIn>> dropIns;
    std::map<std::string, UnreadableFile> unreadable =
        {};                            // by path, of fragments and drop-ins without a text
    std::vector<Error> misplaced = {}; // [X-Filterd] in units that have no packets
};

struct UnitRules {
    std::vector<Rule> rules; // an exact unit before a template or prefix, and that before a whole type
    std::vector<BrokenFile> errors;
    std::vector<std::string> warnings = {}; // of sections that say nothing: "FILE:LINE: …"
};

inline constexpr std::string_view kUserManagers = "user@*.service/";

// What is broken or cannot be read keeps the rule it has in `last`; without one, its units get what
// OnFailure= says. Only of a link that leads nowhere, and of drop-ins for all units of a type that cannot be
// read, it is told and no more.
[[nodiscard]] UnitRules unitRules(const UnitFiles& files, const std::vector<Rule>& last);

// The files that say something of a unit, in the order they apply: its fragment, then the drop-ins.
[[nodiscard]] std::vector<ConfigText> filesOfUnit(const UnitFiles& files, const std::string& unit);

} // namespace filterd
