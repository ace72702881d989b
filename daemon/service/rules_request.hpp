// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A call's rules become the packet rules that a filter is made of.

#include "base/result.hpp"
#include "core/packet_rules/rules.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <map>
#include <string>
#include <vector>

namespace filterd {

struct RuleOptions {
    std::map<std::string, sdbus::Variant> ofRules; // "default", "unparsable"
    std::map<std::string, sdbus::Variant> ofLoading;
};

// Errors: InvalidArgument, which names those that are known.
[[nodiscard]] Result<RuleOptions> splitRuleOptions(const std::map<std::string, sdbus::Variant>& options);

// Errors: InvalidArgument, which names rule and column, or the option.
[[nodiscard]] Result<packet::PacketRules> rulesFrom(const std::vector<std::string>& rules,
                                                    const std::map<std::string, sdbus::Variant>& options);

} // namespace filterd
