// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/unit_class.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace filterd {

namespace {

// Returns the next shorter prefix: of "a-b-c" it is "a-b-", of "a-b-" it is "a-". A dash at the very
// beginning ends no prefix.
std::optional<std::string> shorterPrefix(std::string prefix) {
    if (prefix.ends_with('-'))
        prefix.pop_back();
    const auto dash = prefix.rfind('-');
    if (dash == std::string::npos || dash == 0)
        return std::nullopt;
    return prefix.substr(0, dash + 1);
}

// As systemd recurs: of an instance the template comes next, with the prefixes of a plain unit; then the
// shorter prefix with the same instance.
void addDirectories(const UnitName& name, std::vector<std::string>& directories) {
    auto text = name.text();
    if (std::find(directories.begin(), directories.end(), text) == directories.end())
        directories.push_back(std::move(text));
    if (name.isInstance())
        addDirectories(name.templateName(), directories);
    if (auto shorter = shorterPrefix(name.prefix()))
        addDirectories(name.isInstance() ? name.withPrefix(std::move(*shorter))
                                         : name.plain().withPrefix(std::move(*shorter)),
                       directories);
}

// How narrow the part behind the prefix is.
int narrowness(const UnitClass& one) { return one.name.isInstance() ? 2 : one.name.isTemplate() ? 1 : 0; }

bool extends(const std::string& longer, const std::string& shorter) {
    return longer.size() > shorter.size() && longer.starts_with(shorter);
}

} // namespace

UnitClass UnitClass::ofDirectory(UnitName name) {
    const bool below = name.prefix().size() > 1 && name.prefix().ends_with('-');
    return {std::move(name), below};
}

std::string UnitClass::target() const {
    if (isUnit())
        return name.text();
    const auto instance = name.isPlain() ? "" : name.isTemplate() ? "@*" : "@" + name.instance();
    return name.prefix() + (below ? "*" : "") + instance + "." + name.type();
}

UnitName UnitClass::representative() const {
    const auto unit = below ? name.withPrefix(name.prefix() + "%p") : name;
    return unit.isTemplate() ? unit.withInstance("%i") : unit;
}

bool UnitClass::holdsPrefixOf(const UnitClass& other) const {
    if (name.type() != other.name.type())
        return false;
    if (!below)
        return !other.below && name.prefix() == other.name.prefix();
    return other.name.prefix().starts_with(name.prefix());
}

bool MoreSpecific::operator()(const UnitClass& a, const UnitClass& b) const {
    const auto key = [](const UnitClass& one) {
        const long width = one.isUnit() ? 0 : -static_cast<long>(one.name.prefix().size());
        return std::tuple(!one.isUnit(), width, one.below, one.isUnit() ? 0 : -narrowness(one),
                          one.name.prefix(), one.name.instance(), one.name.isPlain(), one.name.type());
    };
    return key(a) < key(b);
}

// Three kinds can have a common part that is none of the two: those of one instance with those of any
// ("a-@1" and "a-b@"), and those of any instance with those of a longer plain prefix ("a-@" and "a-b-").
UnitClasses withCommonParts(UnitClasses classes) {
    std::vector<UnitClass> wide;
    std::copy_if(classes.begin(), classes.end(), std::back_inserter(wide),
                 [](const auto& one) { return one.below || one.name.isTemplate(); });
    std::vector<UnitClass> common;
    for (const auto& narrow : wide) {
        if (!narrow.below || narrow.name.isPlain())
            continue;
        for (const auto& other : wide)
            if (narrowness(other) < narrowness(narrow) && narrow.holdsPrefixOf(other) &&
                (extends(other.name.prefix(), narrow.name.prefix()) || !other.below))
                common.push_back({narrow.name.withPrefix(other.name.prefix()), other.below});
    }
    classes.insert(common.begin(), common.end());
    return classes;
}

std::vector<std::string> dropInDirectories(const UnitName& unit) {
    std::vector<std::string> directories;
    addDirectories(unit, directories);
    directories.push_back(unit.type());
    return directories;
}

} // namespace filterd
