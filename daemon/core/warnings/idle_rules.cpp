#include "core/warnings/idle_rules.hpp"

#include "core/model/names.hpp"

#include <algorithm>

namespace filterd {

namespace {

bool isOfFile(const Rule& rule) { return rule.source != kBusSource && rule.source != kUserSource; }

// The first rule of a file that is tried for everything that the target can mean: a name goes to the first
// rule that covers it, a glob or a path at least to the first one that says the same.
const Rule* firstFor(const std::string& target, const Rules& rules, const std::vector<const Rule*>& inOrder) {
    if (isAnyUnitName(target)) {
        for (const auto& covering : rules.covering(target))
            if (isOfFile(*covering.rule))
                return covering.rule;
    }
    const auto same = std::find_if(inOrder.begin(), inOrder.end(), [&](const Rule* rule) {
        return isOfFile(*rule) &&
               std::find(rule->targets.begin(), rule->targets.end(), target) != rule->targets.end();
    });
    return same == inOrder.end() ? nullptr : *same;
}

// The rule that keeps this one from all of its units; none if one of its targets is its own.
const Rule* hiderOf(const Rule& rule, const Rules& rules, const std::vector<const Rule*>& inOrder) {
    const Rule* hider = nullptr;
    for (const auto& target : rule.targets) {
        hider = firstFor(target, rules, inOrder);
        if (hider == nullptr || hider == &rule)
            return nullptr;
    }
    return hider;
}

} // namespace

std::vector<std::string> idleRuleWarnings(const Rules& rules) {
    std::vector<std::string> warnings;
    const auto inOrder = rules.ordered();
    for (const auto* rule : inOrder) {
        if (!isOfFile(*rule) || !rule->broken.empty())
            continue;
        if (const auto* hider = hiderOf(*rule, rules, inOrder))
            warnings.push_back(rule->source + ": it applies to no unit: " + hider->source +
                               " comes before it and covers all that it names");
        else if (rule->ingress.empty() && rule->egress.empty())
            warnings.push_back(rule->source +
                               ": it names no filter: its units get none, from later files neither; name "
                               "builtin:pass if that is meant");
    }
    return warnings;
}

} // namespace filterd
