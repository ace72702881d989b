// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells what systemd takes a link in a unit path for.

#include <optional>
#include <string>
#include <vector>

namespace filterd {

struct UnitLink {
    enum class Meaning {
        Linked, // the file of the unit of the link's own name, wherever it is and whatever it is called there
        Alias,  // another name of the unit `primary`
        Nothing, // no unit: a lower unit path may have one of that name
    };
    Meaning meaning = Meaning::Nothing;
    std::string primary = {};
};

// `name` is that of the link, a unit's; `target` the absolute path it leads to, without links in its
// directories, but with its last component as it is. A link that leaves the unit paths is a linked unit, also
// with a name of Alias=. One within them is an alias, if the two names are of one type that can have aliases,
// and of one kind.
[[nodiscard]] UnitLink meaningOfLink(const std::string& name, const std::string& target,
                                     const std::vector<std::string>& unitPaths);

} // namespace filterd
