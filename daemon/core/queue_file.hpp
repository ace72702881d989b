#pragma once
// A .queue file with its drop-ins becomes a rule.

#include "core/rule.hpp"
#include "core/unit_file.hpp"

#include <string>
#include <vector>

namespace filterd {

struct ConfigText {
    std::string path;
    std::string text;
};

// `files`: the main file, which becomes the rule's source, then its drop-ins in the order they apply.
// Errors: BadConfiguration that begins with FILE:LINE.
[[nodiscard]] Result<Rule> parseQueueFile(const std::vector<ConfigText>& files);

} // namespace filterd
