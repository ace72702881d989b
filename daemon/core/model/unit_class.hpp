// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Which units the names in the unit paths speak for, and where systemd looks for drop-ins of a unit.

#include "core/model/unit_name.hpp"

#include <set>
#include <string>
#include <vector>

namespace filterd {

// The units that a fragment or a drop-in directory is about. A template is about all of its instances. With
// `below`, all units whose prefix begins with the one named are meant, too: "web-.service.d" is for
// web-a.service and web-a-b@1.service.
struct UnitClass {
    UnitName name;
    bool below = false;

    // A directory's name ends in a dash for all that is below it; a fragment's is a name as any other.
    [[nodiscard]] static UnitClass ofFragment(UnitName name) { return {std::move(name), false}; }
    [[nodiscard]] static UnitClass ofDirectory(UnitName name);

    // Returns whether it is one unit.
    [[nodiscard]] bool isUnit() const { return !below && !name.isTemplate(); }
    // The unit, or the glob that covers the class.
    [[nodiscard]] std::string target() const;
    // A unit of the class that has nothing more than all of them have. Its letters % are in no real name.
    [[nodiscard]] UnitName representative() const;
    // Returns whether the prefixes of that other class are some of those of this one.
    [[nodiscard]] bool holdsPrefixOf(const UnitClass& other) const;

    bool operator==(const UnitClass&) const = default;
};

// Orders the classes so that none comes after one that it is a part of: single units first.
struct MoreSpecific {
    bool operator()(const UnitClass& a, const UnitClass& b) const;
};

using UnitClasses = std::set<UnitClass, MoreSpecific>;

// The classes and those that two of them have in common: so that of all that hold a unit, the first is a part
// of every other.
[[nodiscard]] UnitClasses withCommonParts(UnitClasses classes);

// systemd's order, the most specific first; without ".d". The last is the type.
[[nodiscard]] std::vector<std::string> dropInDirectories(const UnitName& unit);

} // namespace filterd
