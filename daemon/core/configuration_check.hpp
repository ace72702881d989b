#pragma once
// Judges a configuration as a whole, and tells which rule a unit gets. Needs neither a daemon nor a kernel.

#include "core/configuration.hpp"

#include <functional>
#include <string>
#include <vector>

namespace filterd {

struct CheckReport {
    std::vector<std::string> errors; // what cannot come into force
    std::vector<std::string> warnings;
};

// `exists`: whether there is a file at an absolute path.
[[nodiscard]] CheckReport checkConfiguration(const Configuration& configuration,
                                             const std::function<bool(const std::string& path)>& exists);

// A rule that covers a unit, and which of its targets does.
struct CoveringRule {
    const Rule* rule = nullptr;
    std::string target;
};

// In the order in which they are tried: the first one counts.
[[nodiscard]] std::vector<CoveringRule> rulesCovering(const std::string& unit,
                                                      const std::vector<Rule>& ordered);

} // namespace filterd
