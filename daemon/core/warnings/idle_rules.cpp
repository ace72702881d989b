// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/idle_rules.hpp"

#include "core/model/names.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace filterd {

namespace {

bool isOfFile(const Rule& rule) { return rule.source != kBusSource && rule.source != kUserSource; }

// Which rule of the files comes first for what a target names: a name goes to the first rule that covers it,
// a glob or a path at least to the first one that says the same. It looks at globs alone one by one.
class FirstRules {
  public:
    explicit FirstRules(const Rules& rules) {
        for (const auto* rule : rules.ordered())
            if (isOfFile(*rule))
                inOrder_.push_back(rule);
        std::map<const Rule*, std::size_t> places;
        for (std::size_t place = 0; place < inOrder_.size(); ++place) {
            places.emplace(inOrder_[place], place);
            for (const auto& target : inOrder_[place]->targets)
                byText_.emplace(target, place);
        }
        for (const auto& [rule, glob] : rules.names())
            if (const auto place = places.find(rule); place != places.end())
                add(*glob, place->second);
    }

    [[nodiscard]] const std::vector<const Rule*>& inOrder() const { return inOrder_; }

    // Returns the first of these rules that covers what the target names.
    [[nodiscard]] const Rule* of(const std::string& target) const {
        const auto same = byText_.at(target);
        if (isAnyUnitName(target))
            for (const auto& [place, glob] : globs_) {
                if (place >= same)
                    break;
                if (isOfUserManager(glob->text()) == isOfUserManager(target) && glob->matches(target))
                    return inOrder_[place];
            }
        return inOrder_[same];
    }

  private:
    // A path is a name, too: that of the unit which systemd makes there.
    void add(const Glob& glob, std::size_t place) {
        if (!isAnyUnitName(glob.text()))
            globs_.emplace_back(place, &glob);
        else if (const auto [known, isNew] = byText_.emplace(glob.text(), place); !isNew)
            known->second = std::min(known->second, place);
    }

    std::vector<const Rule*> inOrder_;
    std::map<std::string, std::size_t> byText_;
    std::vector<std::pair<std::size_t, const Glob*>> globs_; // in the order of their rules
};

// The rule that keeps this one from all of its units; none if one of its targets is its own.
const Rule* hiderOf(const Rule& rule, const FirstRules& first) {
    const Rule* hider = nullptr;
    for (const auto& target : rule.targets) {
        hider = first.of(target);
        if (hider == &rule)
            return nullptr;
    }
    return hider;
}

} // namespace

std::vector<std::string> idleRuleWarnings(const Rules& rules) {
    std::vector<std::string> warnings;
    const FirstRules first(rules);
    for (const auto* rule : first.inOrder()) {
        if (!rule->broken.empty())
            continue;
        if (const auto* hider = hiderOf(*rule, first))
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
