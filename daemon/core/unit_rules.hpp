#pragma once
// The [X-Filterd] sections of units' files and their drop-ins become rules, as systemd would put a unit
// together from them.

#include "core/config_text.hpp"
#include "core/rule.hpp"
#include "core/unit_relations.hpp"

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

// What the unit paths hold.
struct UnitFiles {
    std::map<std::string, ConfigText> fragments; // by unit name, of the highest path that has it
    std::set<std::string> masked;
    UnitRelations relations;
    std::string manager = {}; // before the names in rules' targets: "user@*.service/" of users' units
    // By directory, without ".d": "web@1.service", "web@.service", "web-.service", "service".
    std::map<std::string, std::vector<UnitDropIn>> dropIns;
};

struct UnitRules {
    std::vector<Rule> rules; // an exact unit before a template or prefix, and that before a whole type
    std::vector<BrokenFile> errors;
};

inline constexpr std::string_view kUserManagers = "user@*.service/";

// What is broken keeps the rule it has in `last`; without one, its units get what OnFailure= says.
[[nodiscard]] UnitRules unitRules(const UnitFiles& files, const std::vector<Rule>& last);

// Where systemd looks for drop-ins of a unit or a template, the most specific directory first; without ".d".
[[nodiscard]] std::vector<std::string> dropInDirectories(const std::string& unit);

// The files that say something of a unit, in the order they apply: its fragment, then the drop-ins.
[[nodiscard]] std::vector<ConfigText> filesOfUnit(const UnitFiles& files, const std::string& unit);

} // namespace filterd
