#include "core/packet/rule_notes.hpp"

#include "core/packet/families.hpp"

#include <string_view>

namespace filterd::packet {

namespace {

constexpr std::size_t kMostKnown = 16'384;
constexpr std::size_t kMostOfAKind = 16; // notes of one filter

std::string nameOf(const PacketRules& rules, std::size_t index) {
    return "rule " + std::to_string(index + 1) + " '" + toString(rules.rules[index]) + "'";
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

// libpcap's work grows with the cube of the length; a short expression costs as much as one of 30 characters.
constexpr std::uint64_t workOf(std::uint64_t length) { return length * length * length + 27'000; }

} // namespace

std::optional<Matches> RuleNotes::matches(const std::string& expression) {
    if (const auto known = known_.find(expression); known != known_.end())
        return known->second;
    const std::uint64_t work = workOf(expression.size());
    if (work > left_)
        return std::nullopt;
    left_ -= work_ == kNoLimit ? 0 : work;
    const auto program = compiler_.compile(expression, 1);
    const Matches matches = program ? matchesOf(*program) : Matches::Some;
    if (known_.size() >= kMostKnown)
        known_.clear();
    known_.emplace(expression, matches);
    return matches;
}

std::vector<RuleNote> RuleNotes::about(const PacketRules& rules) {
    std::vector<RuleNote> notes;
    Kind silent(notes, "say nothing of IPv6");
    Kind impossible(notes, "match no packet");
    Kind repeated(notes, "ask what an earlier one has asked");
    std::map<std::string_view, std::size_t> first;
    for (std::size_t i = 0; i < rules.rules.size(); ++i) {
        const auto& expression = rules.rules[i].expression;
        const auto [same, isNew] = first.emplace(expression, i);
        if (!isNew) {
            repeated.add(i, nameOf(rules, i) + " never decides: rule " + std::to_string(same->second + 1) +
                                " asks the same before it");
            continue;
        }
        if (isSilentAboutIpv6(expression))
            silent.add(i, nameOf(rules, i) +
                              " says nothing of IPv6: icmp, and bytes as in tcp[13], are those of "
                              "IPv4 packets; for IPv6 add icmp6, or 'ip6 proto 6 and ip6[53]' for "
                              "tcp[13]; where IPv4 alone is meant, begin with 'ip and'");
        const auto matching = matches(expression);
        if (!matching) {
            notes.push_back(
                {i + 1, "rule " + std::to_string(i + 1) +
                            " and those behind it are too much work to see here whether packets can "
                            "match them: 'filterctl check' tells"});
            break;
        }
        if (*matching == Matches::None)
            impossible.add(i, nameOf(rules, i) +
                                  ": no packet matches it, so that it has no effect; correct it or "
                                  "take it out");
        if (*matching == Matches::All && i + 1 < rules.rules.size()) {
            notes.push_back({i + 2, nameOf(rules, i + 1) + " and those behind it are never reached: rule " +
                                        std::to_string(i + 1) + " '" + toString(rules.rules[i]) +
                                        "' matches every packet"});
            break;
        }
    }
    for (auto* kind : {&silent, &impossible, &repeated})
        kind->finish();
    return notes;
}

} // namespace filterd::packet
