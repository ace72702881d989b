#include "core/rules.hpp"

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

bool Rules::covers(const Compiled& rule, const Target& target) {
    const auto takes = [&](const Glob& glob) { // a * of the system's units means no user's
        return isOfUserManager(glob.text()) == isOfUserManager(target.unit) && glob.matches(target.unit);
    };
    if (!target.unit.empty() && std::any_of(rule.globs.begin(), rule.globs.end(), takes))
        return true;
    return std::find(rule.paths.begin(), rule.paths.end(), target.path) != rule.paths.end();
}

Status Rules::set(const Rule& rule) {
    auto compiled = compile(rule);
    if (!compiled)
        return failure(compiled.error());
    const auto& target = rule.targets.front();
    auto& kind = target.starts_with('/') ? paths_ : isAnyUnitName(target) ? exact_ : globs_;
    kind.insert_or_assign(target, std::move(*compiled));
    return {};
}

bool Rules::reset(const std::string& target) {
    return exact_.erase(target) + paths_.erase(target) + globs_.erase(target) > 0;
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
    return {};
}

const Rule* Rules::match(const Target& target) const {
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

std::vector<const Rule*> Rules::ordered() const {
    std::vector<const Rule*> rules;
    for (const auto* kind : {&exact_, &paths_, &globs_})
        for (const auto& [target, compiled] : *kind)
            rules.push_back(&compiled.rule);
    for (const auto& compiled : files_)
        rules.push_back(&compiled.rule);
    return rules;
}

std::vector<std::pair<const Rule*, const Glob*>> Rules::names() const {
    std::vector<std::pair<const Rule*, const Glob*>> names;
    const auto add = [&](const Compiled& compiled) {
        for (const auto* globs : {&compiled.globs, &compiled.pathNames})
            for (const auto& glob : *globs)
                names.emplace_back(&compiled.rule, &glob);
    };
    for (const auto* kind : {&exact_, &paths_, &globs_})
        for (const auto& [target, compiled] : *kind)
            add(compiled);
    for (const auto& compiled : files_)
        add(compiled);
    return names;
}

std::vector<Rule> Rules::busRules() const {
    std::vector<Rule> rules;
    for (const auto* kind : {&exact_, &paths_, &globs_})
        for (const auto& [target, compiled] : *kind)
            rules.push_back(compiled.rule);
    return rules;
}

} // namespace filterd
