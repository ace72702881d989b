// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/rules_request.hpp"

#include "service/options.hpp"

namespace filterd {

namespace {

bool isOfRules(const std::string& option) { return option == "default" || option == "unparsable"; }

Result<packet::Verdict> verdictOption(Options& options, const std::string& name) {
    const auto text = options.text(name, "deny");
    if (!text)
        return failure(text.error());
    auto verdict = packet::parseVerdict(*text);
    if (!verdict)
        return failure(verdict.error().context("option '" + name + "'"));
    return verdict;
}

} // namespace

// Splits the options of packet rules; refuses those of objects, as "program", which would have no effect.
Result<RuleOptions> splitRuleOptions(const std::map<std::string, sdbus::Variant>& options) {
    RuleOptions split;
    for (const auto& [name, value] : options) {
        if (!isOfRules(name) && name != "transient" && name != "replace")
            return failure(ErrorCode::InvalidArgument,
                           "unknown option '" + name +
                               "'; known here: default, replace, transient, unparsable");
        (isOfRules(name) ? split.ofRules : split.ofLoading).emplace(name, value);
    }
    return split;
}

Result<packet::PacketRules> rulesFrom(const std::vector<std::string>& rules,
                                      const std::map<std::string, sdbus::Variant>& options) {
    Options values(options);
    const auto byDefault = verdictOption(values, "default");
    if (!byDefault)
        return failure(byDefault.error());
    const auto unparsable = verdictOption(values, "unparsable");
    if (!unparsable)
        return failure(unparsable.error());
    packet::PacketRules parsed{.rules = {}, .byDefault = *byDefault, .unparsable = *unparsable};
    for (const auto& text : rules) {
        auto rule = packet::parseRule(text);
        if (!rule)
            return failure(rule.error().context("rule " + std::to_string(parsed.rules.size() + 1)));
        parsed.rules.push_back(std::move(*rule));
    }
    return parsed;
}

} // namespace filterd
