#pragma once
// What rules say that is legal and does not do what it looks like: they cover nothing, or not all packets of
// what they cover. The same for check, for the daemon's log and for the bus.

#include "core/filter_sources.hpp"
#include "core/rules.hpp"
#include "core/unit_relations.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// What files define, read once for all rules that name it.
class KnownDefinitions {
  public:
    explicit KnownDefinitions(const FilterSources& sources) : sources_(sources) {}

    // None: no file defines it, or not as it should.
    [[nodiscard]] const FilterDefinition* find(const FilterName& name) const;

  private:
    const FilterSources& sources_;
    mutable std::map<FilterName, std::optional<FilterDefinition>> known_;
};

struct RuleSurroundings {
    const UnitRelations& units;
    const KnownDefinitions& filters;
    const RunningUnitsOnDemand& running;
};

// Each begins with the source of the rule that it is about. What users set for units of their own is not
// judged.
[[nodiscard]] std::vector<std::string> ruleWarnings(const Rules& rules, const RuleSurroundings& around);

// Why not all packets of a unit meet its rule, one sentence each; without the rule's source.
[[nodiscard]] std::vector<std::string> unseenTraffic(const std::string& unit, const Rule& rule,
                                                     const Rules& rules, const RuleSurroundings& around);

// Of two filters in one queue that pass nothing together, and of filters that list no port.
[[nodiscard]] std::vector<std::string> queueWarnings(const Rule& rule, const KnownDefinitions& filters);

} // namespace filterd
