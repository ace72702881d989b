// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/rules/rules.hpp"

#include <algorithm>
#include <array>

namespace filterd {

Result<Rules::Compiled> Rules::compile(const Rule& rule) {
    Compiled compiled{rule, {}, {}, {}};
    for (const auto& target : rule.targets) {
        if (auto checked = checkPattern(target); !checked)
            return failure(checked.error().context(rule.source));
        if (target.starts_with('/')) {
            compiled.paths.push_back(target);
            const auto unit = unitOfCgroupPath(target);
            if (auto name = Glob::exact(unit); name && !unit.empty())
                compiled.pathNames.push_back(std::move(*name));
            continue;
        }
        auto glob = isAnyUnitName(target) ? Glob::exact(target) : Glob::compile(target);
        if (!glob)
            return failure(glob.error().context(rule.source));
        compiled.globs.push_back(std::move(*glob));
    }
    return compiled;
}

namespace {

bool takes(const Glob& glob, std::string_view unit) { // a * of the system's units means no user's
    return !unit.empty() && !unit.starts_with('/') && isOfUserManager(glob.text()) == isOfUserManager(unit) &&
           glob.matches(unit);
}

} // namespace

bool Rules::covers(const Compiled& rule, const Target& target) {
    if (std::any_of(rule.globs.begin(), rule.globs.end(),
                    [&](const Glob& glob) { return takes(glob, target.unit); }))
        return true;
    return std::find(rule.paths.begin(), rule.paths.end(), target.path) != rule.paths.end();
}

// Returns whether the rule covers a unit wherever its cgroup is: by a path, too.
bool Rules::coversUnit(const Compiled& rule, const std::string& unit) {
    return covers(rule, {unit, {}}) || std::any_of(rule.pathNames.begin(), rule.pathNames.end(),
                                                   [&](const Glob& name) { return name.text() == unit; });
}

Status Rules::checkLimits(const Rule& rule) const {
    const bool ofUser = rule.source == kUserSource;
    std::size_t ofAll = 0;
    std::size_t ofOne = 0;
    for (const auto& known : busRules()) {
        if ((known.source == kUserSource) != ofUser || known.targets == rule.targets)
            continue;
        ++ofAll;
        ofOne += known.setBy == rule.setBy ? 1 : 0;
    }
    const auto limit = ofUser ? kMaxRulesOfUser : kMaxRulesSetByUser;
    if (rule.setBy != 0 && ofOne >= limit)
        return failure(ErrorCode::LimitExceeded, "user " + std::to_string(rule.setBy) + " has set " +
                                                     std::to_string(ofOne) +
                                                     " queues already; reset one that is not needed");
    if (ofUser && ofAll >= kMaxRulesOfUsers)
        return failure(ErrorCode::LimitExceeded, "users have set " + std::to_string(ofAll) +
                                                     " queues for units of their own already; no more fit");
    return {};
}

Status Rules::set(const Rule& rule) {
    auto compiled = compile(rule);
    if (!compiled)
        return failure(compiled.error());
    if (auto room = checkLimits(rule); !room)
        return room;
    const auto& target = rule.targets.front();
    if (rule.source == kUserSource)
        users_.insert_or_assign(target, OfUser{rule, std::move(*compiled)});
    else
        (target.starts_with('/') ? paths_
         : isAnyUnitName(target) ? exact_
                                 : globs_)
            .insert_or_assign(target, std::move(*compiled));
    addToUsers();
    return {};
}

bool Rules::reset(const std::string& target) {
    const bool known = exact_.erase(target) + paths_.erase(target) + globs_.erase(target) > 0;
    addToUsers();
    return known;
}

bool Rules::resetOfUser(const std::string& unit) { return users_.erase(unit) > 0; }

// The rule that covers a unit, but for what its user has set.
const Rule* Rules::administrators(const std::string& unit) const {
    for (const auto* kind : {&exact_, &paths_, &globs_})
        for (const auto& [target, compiled] : *kind)
            if (coversUnit(compiled, unit))
                return &compiled.rule;
    for (const auto& compiled : files_)
        if (coversUnit(compiled, unit))
            return &compiled.rule;
    return nullptr;
}

// Users can add restrictions alone: they come last, and where both cannot be in force together, nothing
// passes. What the administrator only logs is only logged then, too.
void Rules::addToUsers() {
    for (auto& [unit, own] : users_) {
        auto& combined = own.combined.rule;
        combined = own.rule;
        const auto* rule = administrators(unit);
        if (rule == nullptr)
            continue;
        combined.ingress.insert(combined.ingress.begin(), rule->ingress.begin(), rule->ingress.end());
        combined.egress.insert(combined.egress.begin(), rule->egress.begin(), rule->egress.end());
        if (rule->logOnly)
            combined.logged = {rule->ingress.size(), rule->egress.size()};
        combined.fallback = rule->fallback;
        combined.broken = rule->broken;
    }
}

Status Rules::setFiles(const std::vector<Rule>& rules) {
    std::vector<Compiled> compiled;
    for (const auto& rule : rules) {
        auto one = compile(rule);
        if (!one)
            return failure(one.error());
        compiled.push_back(std::move(*one));
    }
    files_ = std::move(compiled);
    addToUsers();
    return {};
}

const Rule* Rules::match(const Target& target) const {
    if (const auto found = users_.find(target.unit); found != users_.end())
        return &found->second.combined.rule;
    return matchAdministrators(target);
}

const Rule* Rules::matchAdministrators(const Target& target) const {
    if (const auto found = exact_.find(target.unit); found != exact_.end())
        return &found->second.rule;
    if (const auto found = paths_.find(target.path); found != paths_.end())
        return &found->second.rule;
    for (const auto& [pattern, rule] : globs_)
        if (covers(rule, target))
            return &rule.rule;
    for (const auto& rule : files_)
        if (covers(rule, target))
            return &rule.rule;
    return nullptr;
}

std::optional<std::string> Rules::targetFor(const Compiled& rule, const std::string& unit) {
    if (unit.empty())
        return std::nullopt;
    auto glob = rule.globs.begin(); // one for each target that is no path
    for (const auto& target : rule.rule.targets) {
        const bool isPath = target.starts_with('/');
        if (isPath ? target == unit || unitOfCgroupPath(target) == unit : takes(*glob++, unit))
            return target;
    }
    return std::nullopt;
}

std::vector<const Rules::Compiled*> Rules::inOrder() const {
    std::vector<const Compiled*> rules;
    for (const auto& [unit, own] : users_)
        rules.push_back(&own.combined);
    for (const auto* kind : {&exact_, &paths_, &globs_})
        for (const auto& [target, compiled] : *kind)
            rules.push_back(&compiled);
    for (const auto& compiled : files_)
        rules.push_back(&compiled);
    return rules;
}

std::vector<CoveringRule> Rules::covering(const std::string& unit) const {
    std::vector<CoveringRule> covering;
    for (const auto* compiled : inOrder())
        if (auto target = targetFor(*compiled, unit))
            covering.push_back({&compiled->rule, std::move(*target)});
    return covering;
}

std::vector<const Rule*> Rules::ordered() const {
    std::vector<const Rule*> rules;
    for (const auto* compiled : inOrder())
        rules.push_back(&compiled->rule);
    return rules;
}

std::vector<std::pair<const Rule*, const Glob*>> Rules::names() const {
    std::vector<std::pair<const Rule*, const Glob*>> names;
    for (const auto* compiled : inOrder())
        for (const auto* globs : {&compiled->globs, &compiled->pathNames})
            for (const auto& glob : *globs)
                names.emplace_back(&compiled->rule, &glob);
    return names;
}

std::vector<Rule> Rules::busRules() const {
    std::vector<Rule> rules;
    for (const auto& [unit, own] : users_)
        rules.push_back(own.rule);
    for (const auto* kind : {&exact_, &paths_, &globs_})
        for (const auto& [target, compiled] : *kind)
            rules.push_back(compiled.rule);
    return rules;
}

} // namespace filterd
