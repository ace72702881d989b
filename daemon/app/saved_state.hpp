#pragma once
// What only filterd knows, as text for the state file (I5).

#include "core/references.hpp"
#include "core/rule.hpp"
#include "core/trials.hpp"

#include <string>
#include <vector>

namespace filterd {

struct SavedState {
    std::string busGuid; // clients' unique names mean something only on this bus
    References references;
    std::vector<Rule> busRules;
    std::vector<Trial> trials;
    bool incomplete = false; // an earlier file was lost: what no rule covers may be wanted
};

[[nodiscard]] std::string serialise(const SavedState& state);
// BadConfiguration when the text is damaged.
[[nodiscard]] Result<SavedState> parseState(const std::string& text);

} // namespace filterd
