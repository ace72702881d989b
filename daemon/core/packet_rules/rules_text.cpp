// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/rules_text.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <sstream>

namespace filterd::packet {

namespace {

constexpr std::string_view kMagic = "filterd rules 1\n";
constexpr std::string_view kDefault = "default ";
constexpr std::string_view kUnparsable = "unparsable ";
constexpr std::uint32_t kLeastCapacity = 16;

std::string_view takeLine(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

Result<Verdict> takeVerdict(std::string_view& text, std::string_view key) {
    const auto line = takeLine(text);
    if (!line.starts_with(key))
        return failure(ErrorCode::InvalidArgument, "'" + std::string(key) + "' is missing");
    return parseVerdict(line.substr(key.size()));
}

constexpr std::uint64_t workOf(std::uint64_t length) { return length * length * length; }

Status checkWork(const std::vector<PacketRule>& rules) {
    std::uint64_t work = 0;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        work += workOf(rules[i].expression.size());
        if (work > kMostOfLongest * workOf(kMaxExpression))
            return failure(Error{ErrorCode::LimitExceeded,
                                 "rule " + std::to_string(i + 1) +
                                     ": the expressions so far are too long together: 2 of 1024 characters "
                                     "make a filter, 16 of 512, 128 of 256, 1000 of 128"}
                               .about(std::to_string(i + 1)));
    }
    return {};
}

} // namespace

std::string rulesText(const PacketRules& rules) {
    std::string text(kMagic);
    text += std::string(kDefault) + std::string(toString(rules.byDefault)) + "\n";
    text += std::string(kUnparsable) + std::string(toString(rules.unparsable)) + "\n";
    for (const auto& rule : rules.rules)
        text += toString(rule) + "\n";
    return text;
}

Status checkLimits(const PacketRules& rules) {
    if (rules.rules.size() > kMaxPacketRules)
        return failure(ErrorCode::LimitExceeded, std::to_string(rules.rules.size()) + " rules; at most " +
                                                     std::to_string(kMaxPacketRules) + " make a filter");
    return checkWork(rules.rules);
}

Result<PacketRules> parseRulesText(std::string_view text) {
    if (!text.starts_with(kMagic))
        return failure(ErrorCode::InvalidArgument, "these are no packet rules");
    text.remove_prefix(kMagic.size());
    PacketRules rules;
    const auto byDefault = takeVerdict(text, kDefault);
    if (!byDefault)
        return failure(byDefault.error());
    const auto unparsable = takeVerdict(text, kUnparsable);
    if (!unparsable)
        return failure(unparsable.error());
    rules.byDefault = *byDefault;
    rules.unparsable = *unparsable;
    while (!text.empty()) {
        auto rule = parseRule(takeLine(text));
        if (!rule)
            return failure(rule.error().context("rule " + std::to_string(rules.rules.size() + 1)));
        rules.rules.push_back(std::move(*rule));
    }
    if (auto checked = checkLimits(rules); !checked)
        return failure(checked.error());
    return rules;
}

// ---- counters -------------------------------------------------------------------------------------------

namespace {

// For each rule the counter of the earlier rule that it is, each of which goes on once.
std::vector<std::optional<std::uint32_t>> findEarlier(const PacketRules& rules,
                                                      const NumberedRules& earlier) {
    std::multimap<std::string, std::uint32_t> left;
    for (std::size_t old = 0; old < earlier.rules.rules.size(); ++old)
        left.emplace(toString(earlier.rules.rules[old]), earlier.counters[old]);
    std::vector<std::optional<std::uint32_t>> found(rules.rules.size());
    for (std::size_t i = 0; i < rules.rules.size(); ++i)
        if (const auto same = left.find(toString(rules.rules[i])); same != left.end()) {
            found[i] = same->second;
            left.erase(same);
        }
    return found;
}

std::vector<std::uint32_t> freeEntries(const NumberedRules& earlier) {
    const std::set<std::uint32_t> used(earlier.counters.begin(), earlier.counters.end());
    std::vector<std::uint32_t> free;
    for (std::uint32_t entry = kFirstRule; entry < earlier.capacity; ++entry)
        if (!used.contains(entry))
            free.push_back(entry);
    return free;
}

} // namespace

Numbering number(const PacketRules& rules, const NumberedRules* earlier) {
    Numbering result;
    result.numbered.rules = rules;
    auto& counters = result.numbered.counters;
    const auto kept = earlier != nullptr ? findEarlier(rules, *earlier)
                                         : std::vector<std::optional<std::uint32_t>>(rules.rules.size());
    const auto isNew = [](const auto& counter) { return !counter; };
    const auto added = static_cast<std::size_t>(std::count_if(kept.begin(), kept.end(), isNew));
    const auto free = earlier != nullptr ? freeEntries(*earlier) : std::vector<std::uint32_t>();
    if (earlier != nullptr && added <= free.size()) {
        result.fresh = false;
        result.cleared.assign(free.begin(), free.begin() + static_cast<std::ptrdiff_t>(added));
        auto next = result.cleared.begin();
        for (const auto& counter : kept)
            counters.push_back(counter ? *counter : *next++);
        result.numbered.capacity = earlier->capacity;
        return result;
    }
    result.numbered.capacity = std::max(
        kLeastCapacity, std::bit_ceil(2 * static_cast<std::uint32_t>(rules.rules.size()) + kFirstRule));
    if (earlier != nullptr)
        result.carried = {{kByDefault, kByDefault}, {kByUnparsable, kByUnparsable}};
    for (std::uint32_t i = 0; i < kept.size(); ++i) {
        counters.push_back(kFirstRule + i);
        if (kept[i])
            result.carried.emplace_back(*kept[i], kFirstRule + i);
    }
    return result;
}

std::string numberedText(const NumberedRules& numbered) {
    std::string text = std::to_string(numbered.capacity);
    for (const std::uint32_t counter : numbered.counters)
        text += " " + std::to_string(counter);
    return text + "\n" + rulesText(numbered.rules);
}

std::optional<NumberedRules> parseNumbered(const std::string& text) {
    const auto end = text.find('\n');
    if (end == std::string::npos)
        return std::nullopt;
    NumberedRules numbered;
    std::istringstream line(text.substr(0, end));
    if (!(line >> numbered.capacity))
        return std::nullopt;
    for (std::uint32_t counter = 0; line >> counter;)
        numbered.counters.push_back(counter);
    auto rules = parseRulesText(std::string_view(text).substr(end + 1));
    if (!rules || rules->rules.size() != numbered.counters.size())
        return std::nullopt;
    for (const std::uint32_t counter : numbered.counters)
        if (counter < kFirstRule || counter >= numbered.capacity)
            return std::nullopt;
    numbered.rules = std::move(*rules);
    return numbered;
}

std::string digestOf(const PacketRules& rules) {
    const auto text = rulesText(rules);
    return sha256(std::as_bytes(std::span(text)));
}

} // namespace filterd::packet
