// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_link.hpp"

#include "core/model/unit_name.hpp"

#include <algorithm>

namespace filterd {

namespace {

bool isWithin(const std::string& path, const std::string& directory) {
    return path.starts_with(directory) && path.size() > directory.size() + 1 && path[directory.size()] == '/';
}

bool mayHaveAliases(const UnitName& unit) { return unit.type() == "service" || unit.type() == "socket"; }

} // namespace

UnitLink meaningOfLink(const std::string& name, const std::string& target,
                       const std::vector<std::string>& unitPaths) {
    if (std::none_of(unitPaths.begin(), unitPaths.end(),
                     [&](const auto& directory) { return isWithin(target, directory); }))
        return {UnitLink::Meaning::Linked};
    const auto alias = UnitName::parse(name);
    const auto primary = UnitName::parse(target.substr(target.rfind('/') + 1));
    if (!alias || !primary || !mayHaveAliases(*alias) || alias->type() != primary->type() ||
        *alias == *primary)
        return {};
    if (alias->isInstance() && primary->isTemplate())
        return {UnitLink::Meaning::Alias, primary->withInstance(alias->instance()).text()};
    const bool sameKind = alias->isPlain() == primary->isPlain() &&
                          alias->isTemplate() == primary->isTemplate() &&
                          alias->instance() == primary->instance();
    if (!sameKind)
        return {};
    return {UnitLink::Meaning::Alias, primary->text()};
}

} // namespace filterd
