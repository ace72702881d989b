#pragma once
// Judges a configuration as a whole, as a reload would before it asks the kernel, and tells which rule a unit
// gets. Needs neither a daemon nor a kernel.

#include "core/configuration.hpp"

#include <functional>
#include <string>
#include <vector>

namespace filterd {

struct CheckReport {
    std::vector<std::string> errors; // what cannot come into force
    std::vector<std::string> warnings;
};

// What ObjectIntake::inspect() says of the filter that a file defines; a reading error if there is no object.
using FilterInspector = std::function<Result<FilterDirection>(const FilterDefinition& definition)>;

[[nodiscard]] CheckReport checkConfiguration(const Configuration& configuration,
                                             const FilterInspector& inspect);

// A rule that covers a unit, and which of its targets does.
struct CoveringRule {
    const Rule* rule = nullptr;
    std::string target;
};

// In the order in which they are tried: the first one counts. A cgroup path covers the unit that has its
// name; of a cgroup that is no unit's, `unit` is the path.
[[nodiscard]] std::vector<CoveringRule> rulesCovering(const std::string& unit,
                                                      const std::vector<Rule>& ordered);

} // namespace filterd
