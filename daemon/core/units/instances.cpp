// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/instances.hpp"

#include "core/model/names.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::size_t kMostInstances = 64; // that are asked for, of one template

bool isInstanceOf(const UnitName& unit, const UnitName& form) {
    return unit.isInstance() && unit.templateName() == form;
}

// A string that the glob's own text for an instance allows: a * stands for nothing, a bracket for its first
// letter.
std::string instanceBy(const std::string& pattern) {
    const auto at = pattern.rfind('@');
    if (at == std::string::npos)
        return {};
    const auto text = pattern.substr(at + 1, pattern.rfind('.') - at - 1);
    std::string instance;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto end = text[i] == '[' ? text.find(']', i + 2) : std::string::npos;
        if (text[i] == '?')
            instance += '0';
        else if (text[i] != '*')
            instance += end == std::string::npos ? text[i] : text[i + 1];
        i = end == std::string::npos ? i : end;
    }
    return instance;
}

} // namespace

std::string instancesOf(const std::string& unit) {
    const auto name = UnitName::parse(unit);
    return name && name->isTemplate() ? name->withInstance("*").text() : unit;
}

std::string templateOfInstance(const std::string& unit) {
    const auto name = UnitName::parse(unit);
    return name && name->isInstance() ? name->templateName().text() : std::string();
}

std::vector<UnitName> instancesAmong(const std::set<std::string>& names, const UnitName& form) {
    const auto head = form.prefix() + "@";
    std::vector<UnitName> instances;
    for (auto it = names.lower_bound(head);
         it != names.end() && it->starts_with(head) && instances.size() < kMostInstances; ++it)
        if (auto name = UnitName::parse(*it); name && isInstanceOf(*name, form))
            instances.push_back(std::move(*name));
    return instances;
}

std::optional<std::string> exampleFor(const Glob& glob, const UnitName& form,
                                      const std::set<std::string>& taken) {
    if (!glob.meets(form.withInstance("*").text()))
        return std::nullopt;
    for (const auto& instance : {std::string("0"), std::string("x"), instanceBy(glob.text())})
        if (auto unit = form.withInstance(instance).text();
            !instance.empty() && !taken.contains(unit) && glob.matches(unit))
            return unit;
    return std::nullopt;
}

std::vector<AskedUnit> askedUnits(const std::string& unit, const Rules& rules,
                                  const std::set<std::string>& there) {
    const auto form = UnitName::parse(unit);
    if (!form || !form->isTemplate())
        return {{unit, unit}};
    std::set<std::string> named;
    for (const auto& instance : instancesAmong(there, *form))
        named.insert(instance.text());
    std::vector<const Glob*> globs;
    for (const auto& [rule, glob] : rules.names()) {
        const auto name = UnitName::parse(glob->text());
        if (!name && !isOfUserManager(glob->text()))
            globs.push_back(glob);
        else if (name && isInstanceOf(*name, *form) && named.size() < 2 * kMostInstances)
            named.insert(name->text());
    }
    std::set<std::string> examples;
    for (const auto* glob : globs)
        if (auto example = exampleFor(*glob, *form, named))
            examples.insert(std::move(*example));
    std::vector<AskedUnit> asked;
    asked.reserve(examples.size() + named.size());
    for (const auto& example : examples)
        asked.push_back({example, unit});
    for (const auto& name : named)
        asked.push_back({name, name});
    return asked;
}

} // namespace filterd
