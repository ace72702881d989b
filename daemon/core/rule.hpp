#pragma once
// A rule: which units get which queues.

#include "core/model.hpp"

#include <string>
#include <vector>

namespace filterd {

struct Rule {
    std::string source;               // "bus", or the path of the .queue file
    std::vector<std::string> targets; // unit names, globs, absolute cgroup paths; see checkPattern()
    std::vector<FilterName> ingress;  // in order
    std::vector<FilterName> egress;
    OnFailure onFailure = OnFailure::Hold;
    Fallback fallback = Fallback::Allow;
    bool logOnly = false;    // drops nothing, and counts what it would have dropped
    std::string broken = {}; // why its file cannot be read; its units then get what onFailure says

    [[nodiscard]] const std::vector<FilterName>& filters(Direction direction) const {
        return direction == Direction::Ingress ? ingress : egress;
    }
    bool operator==(const Rule&) const = default;
};

inline constexpr std::string_view kBusSource = "bus";

} // namespace filterd
