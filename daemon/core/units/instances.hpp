// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What can be asked of all units of a template can only be asked of some: of those that rules, files and
// links name, and of one example of what each glob covers.

#include "core/model/unit_name.hpp"
#include "core/rules/rules.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace filterd {

struct AskedUnit {
    std::string unit;
    std::string shown; // of an example its template
};

// The unit itself if it is no template. `there` are names of units that exist, of any template. No more than
// some dozens.
[[nodiscard]] std::vector<AskedUnit> askedUnits(const std::string& unit, const Rules& rules,
                                                const std::set<std::string>& there);

// The instances of the template among these names.
[[nodiscard]] std::vector<UnitName> instancesAmong(const std::set<std::string>& names, const UnitName& form);

// A unit of the template that the glob covers and that is not `taken`, if one is easily found.
[[nodiscard]] std::optional<std::string> exampleFor(const Glob& glob, const UnitName& form,
                                                    const std::set<std::string>& taken = {});

// "web@*.service" for "web@.service", anything else as it is.
[[nodiscard]] std::string instancesOf(const std::string& unit);

// "web@.service" for "web@1.service"; empty for what is no instance.
[[nodiscard]] std::string templateOfInstance(const std::string& unit);

} // namespace filterd
