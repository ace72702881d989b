// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/rule_notes.hpp"

#include "core/packet_rules/families.hpp"
#include "core/packet_rules/slips.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace filterd::packet {

namespace {

constexpr std::size_t kMostKnown = 16'384;
constexpr std::size_t kMostOfAKind = 16; // notes of one filter

// A long list is known by its beginning.
std::string nameOf(const PacketRules& rules, std::size_t index) {
    constexpr std::size_t kMostText = 120;
    auto text = toString(rules.rules[index]);
    if (text.size() > kMostText)
        text = text.substr(0, kMostText) + "…";
    return "rule " + std::to_string(index + 1) + " '" + text + "'";
}

// One note for each rule, and a number in place of those that are too many.
class Kind {
  public:
    Kind(std::vector<RuleNote>& notes, std::string_view ofMore) : notes_(notes), ofMore_(ofMore) {}

    void add(std::size_t index, std::string text) {
        if (++count_ <= kMostOfAKind)
            notes_.push_back({index + 1, std::move(text)});
        last_ = index;
    }
    void finish() {
        if (count_ > kMostOfAKind)
            notes_.push_back({last_ + 1, "and " + std::to_string(count_ - kMostOfAKind) +
                                             " more rules, up to rule " + std::to_string(last_ + 1) + ", " +
                                             std::string(ofMore_)});
    }

  private:
    std::vector<RuleNote>& notes_;
    std::string_view ofMore_;
    std::size_t count_ = 0;
    std::size_t last_ = 0;
};

class Collector {
  public:
    explicit Collector(const PacketRules& rules)
        : rules_(rules),
          isIcmp6Judged_(std::any_of(rules.rules.begin(), rules.rules.end(), [](const auto& rule) {
              return rule.expression.find("icmp6") != std::string::npos;
          })) {}

    // Notes what the words tell. Returns false if an earlier rule has the same ones.
    bool readWords(std::size_t index) {
        const auto& expression = rules_.rules[index].expression;
        const auto [same, isNew] = first_.emplace(expression, index);
        if (!isNew) {
            repeated_.add(index, nameOf(rules_, index) + " never decides: rule " +
                                     std::to_string(same->second + 1) + " asks the same before it");
            return false;
        }
        if (isSilentAboutIpv6(expression, isIcmp6Judged_))
            silent_.add(index, nameOf(rules_, index) + kSilent);
        if (const auto slip = slipIn(expression))
            slips_.add(index, nameOf(rules_, index) + " " + *slip);
        return true;
    }

    void impossible(std::size_t index) {
        impossible_.add(index,
                        nameOf(rules_, index) +
                            ": no packet matches it, so that it has no effect; correct it or take it out");
    }

    // All that stands behind it.
    void covered(std::size_t index) {
        notes_.push_back({index + 2, nameOf(rules_, index + 1) + " and those behind it are never reached: " +
                                         nameOf(rules_, index) + " matches every packet"});
    }

    // Rules that say of all packets what would be said of them anyway.
    void judgeVerdicts() {
        const auto& all = rules_.rules;
        const bool isOne = std::all_of(all.begin(), all.end(),
                                       [&](const auto& rule) { return rule.verdict == rules_.byDefault; });
        if (!all.empty() && isOne && rules_.byDefault == Verdict::Allow)
            notes_.push_back(
                {1, "no rule denies, and Default=allow lets all others pass: the rules count packets, and "
                    "keep none back; leave Default= out, or write deny"});
    }

    std::vector<RuleNote> take() {
        for (auto* kind : {&silent_, &slips_, &impossible_, &repeated_})
            kind->finish();
        return std::move(notes_);
    }

  private:
    static constexpr const char* kSilent =
        " says nothing of IPv6: icmp, and bytes as in tcp[13], are those of IPv4 packets; for IPv6 add "
        "icmp6, or "
        "'ip6 proto 6 and ip6[53]' for tcp[13]; where IPv4 alone is meant, begin with 'ip and'";

    const PacketRules& rules_;
    bool isIcmp6Judged_;
    std::vector<RuleNote> notes_;
    Kind silent_{notes_, "say nothing of IPv6"};
    Kind slips_{notes_, "mean something else than they look like"};
    Kind impossible_{notes_, "match no packet"};
    Kind repeated_{notes_, "ask what an earlier one has asked"};
    std::map<std::string_view, std::size_t> first_;
};

} // namespace

Matches CompiledRuleNotes::matches(const std::string& expression) {
    if (const auto known = known_.find(expression); known != known_.end())
        return known->second;
    const auto program = compiler_.compile(expression, 1);
    const Matches matches = program ? matchesOf(*program) : Matches::Some;
    if (known_.size() >= kMostKnown)
        known_.clear();
    known_.emplace(expression, matches);
    return matches;
}

std::vector<RuleNote> CompiledRuleNotes::about(const PacketRules& rules) {
    Collector notes(rules);
    for (std::size_t i = 0; i < rules.rules.size(); ++i) {
        if (!notes.readWords(i))
            continue;
        const auto matching = matches(rules.rules[i].expression);
        if (matching == Matches::None)
            notes.impossible(i);
        if (matching == Matches::All && i + 1 < rules.rules.size()) {
            notes.covered(i);
            break;
        }
    }
    notes.judgeVerdicts();
    return notes.take();
}

} // namespace filterd::packet
