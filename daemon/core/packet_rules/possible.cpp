// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/possible.hpp"

#include "core/packet_rules/view.hpp"

#include <algorithm>
#include <optional>

namespace filterd::packet {

namespace {

constexpr std::size_t kMostQuestions = 4'000;

// TCP hands 8 * 65,535 bytes at most to a device in one piece (GSO_MAX_SIZE), and takes no more from one. The
// rest is for headers.
constexpr std::uint32_t kLongestPacket = 9 * 65'535;

using Values = std::vector<Range>; // that a subject can still have

Values within(const Values& values, const Range& range) {
    Values left;
    for (const auto& some : values)
        if (some.low <= range.high && range.low <= some.high)
            left.push_back({std::max(some.low, range.low), std::min(some.high, range.high)});
    return left;
}

Values without(const Values& values, const Range& range) {
    Values left;
    if (range.low > 0)
        left = within(values, {0, range.low - 1});
    if (range.high < kMaxValue)
        for (const auto& some : within(values, {range.high + 1, kMaxValue}))
            left.push_back(some);
    return left;
}

bool isLoadOf(const Expression& expression, std::uint8_t size, std::uint32_t offset) {
    return expression.op == Op::Load && expression.left == kNoExpr && expression.size == size &&
           expression.value == offset;
}

// Ways that ask for two different values of one thing end in either case.
enum class Limits : std::uint8_t {
    OfValues, // a question to a range is answered by a known value alone
    OfRanges,
};

// Tries the ways one after another, and remembers on each what was answered.
class Attempt {
  public:
    Attempt(Expressions& expressions, const Decisions& decisions, std::map<ExprId, Values> values,
            NodeId wanted, Limits limits)
        : expressions_(expressions), decisions_(decisions), values_(std::move(values)), limits_(limits),
          nextHeader_(expressions.load(1, kNoExpr, kProtocolV6)), wanted_(wanted) {}

    bool reaches(NodeId node) {
        if (node.isLeaf())
            return node == wanted_;
        if (++questions_ > kMostQuestions)
            return true;
        const Decision decision = decisions_[node];
        const ExprId subject = subjectOf(decision);
        if (isNextHeader(subject) && decision.range.isSingle() && extensionBit(decision.range.low))
            return reachesFromChain(decision);
        const auto place = values_.try_emplace(subject, Values{{0, kMaxValue}}).first;
        const Values before = place->second;
        const bool isKnown = before.size() == 1 && before.front().isSingle();
        if (limits_ == Limits::OfValues && !decision.range.isSingle() && !isKnown)
            return reaches(decision.inside) || reaches(decision.outside);
        const auto follow = [&](Values left, NodeId next) {
            if (left.empty())
                return false;
            place->second = std::move(left);
            return reaches(next);
        };
        const auto asked = bitsOf(subject, decision.range);
        const bool found =
            (mayBe(asked) &&
             followKnowing(asked, [&] { return follow(within(before, decision.range), decision.inside); })) ||
            (!isSure(asked) && follow(without(before, decision.range), decision.outside));
        place->second = before;
        return found;
    }

  private:
    // States that these bits of a word are those of `value`: an address in a network.
    struct Bits {
        std::uint64_t word = 0; // 0: nothing of the kind
        std::uint32_t mask = 0;
        std::uint32_t value = 0;
    };

    // Returns the bits that a question asks for; none for a next header, of which a packet has several.
    [[nodiscard]] Bits bitsOf(ExprId subject, const Range& range) const {
        if (limits_ == Limits::OfValues || !range.isSingle())
            return {};
        const Expression whole = expressions_[subject];
        const bool isMasked = whole.op == Op::And && expressions_[whole.right].op == Op::Constant;
        const ExprId of = isMasked ? whole.left : subject;
        const std::uint32_t mask = isMasked ? expressions_[whole.right].value : expressions_.maximum(of);
        const Expression load = expressions_[of];
        const std::uint32_t end = load.value % 4 + load.size;
        if (load.op != Op::Load || load.left != kNoExpr || end > 4 || isNextHeader(of))
            return {};
        const std::uint32_t shift = (4 - end) * 8;
        return {1 + std::uint64_t{load.value / 4}, mask << shift, range.low << shift};
    }

    [[nodiscard]] bool mayBe(const Bits& asked) const {
        return std::none_of(known_.begin(), known_.end(), [&](const Bits& one) {
            return one.word == asked.word && ((one.value ^ asked.value) & one.mask & asked.mask) != 0;
        });
    }

    [[nodiscard]] bool isSure(const Bits& asked) const {
        return asked.word != 0 && std::any_of(known_.begin(), known_.end(), [&](const Bits& one) {
                   return one.word == asked.word && (asked.mask & ~one.mask) == 0 &&
                          (one.value & asked.mask) == asked.value;
               });
    }

    template<class Way>
    bool followKnowing(const Bits& bits, Way way) {
        if (bits.word == 0)
            return way();
        known_.push_back(bits);
        const bool found = way();
        known_.pop_back();
        return found;
    }

    bool isNextHeader(ExprId subject) const { return isLoadOf(expressions_[subject], 1, kProtocolV6); }

    // Behind a fragment header libpcap looks at another byte for the same question.
    ExprId subjectOf(const Decision& decision) {
        const auto fragment = chain_.find(kFragmentHeader);
        const bool isBehind = fragment != chain_.end() && fragment->second && decision.range.isSingle() &&
                              isLoadOf(expressions_[decision.subject], 1, kHeaderV6);
        return isBehind ? nextHeader_ : decision.subject;
    }

    // An IPv6 packet has many next headers: that one of them is this does not keep another from being that.
    bool reachesFromChain(const Decision& decision) {
        const auto [place, isNew] = chain_.try_emplace(decision.range.low, true);
        if (!isNew)
            return reaches(place->second ? decision.inside : decision.outside);
        bool found = reaches(decision.inside);
        if (!found) {
            chain_[decision.range.low] = false;
            found = reaches(decision.outside);
        }
        chain_.erase(decision.range.low);
        return found;
    }

    const Expressions& expressions_;
    const Decisions& decisions_;
    std::map<ExprId, Values> values_;
    Limits limits_;
    std::vector<Bits> known_;             // by the questions that were answered with yes
    std::map<std::uint32_t, bool> chain_; // extension headers that are there, or not
    ExprId nextHeader_;
    NodeId wanted_;
    std::size_t questions_ = 0;
};

// A rule, of the packets of one version.
class OfVersion {
  public:
    OfVersion(Version version, Expressions& expressions, Decisions& decisions)
        : expressions_(expressions), decisions_(decisions) {
        const bool isV4 = version == Version::V4;
        const std::uint32_t number = isV4 ? 0x40 : 0x60;
        const ExprId first = expressions.load(1, kNoExpr, 0);
        const ExprId mask = expressions.constant(0xf0);
        values_[expressions.binary(Op::And, first, mask)] = {{number, number}};
        values_[first] = {{number, number + 0xf}};
        values_[expressions.length()] = {{isV4 ? kHeaderV4 : kHeaderV6, kLongestPacket}};
    }

    // Without the questions that all packets answer alike.
    NodeId fold(NodeId rule) {
        std::map<NodeId, NodeId> done;
        const auto folded = [&](NodeId node) { return node.isLeaf() ? node : done.at(node); };
        for (const NodeId node : nodesOf(rule, decisions_)) {
            const Decision asked = asLength(decisions_[node]);
            const auto answer = answerOf(asked);
            done[node] = answer ? folded(*answer ? asked.inside : asked.outside)
                                : decisions_.ask({asked.subject, asked.range, folded(asked.inside),
                                                  folded(asked.outside)});
        }
        return folded(rule);
    }

    bool reaches(NodeId folded, NodeId wanted) const {
        return Attempt(expressions_, decisions_, values_, wanted, Limits::OfRanges).reaches(folded);
    }

  private:
    // Returns whether bytes are there is a question to the length.
    Decision asLength(Decision decision) {
        const Expression subject = expressions_[decision.subject];
        if (subject.op != Op::Fits)
            return decision;
        const std::uint64_t end = std::uint64_t{subject.value} + subject.size;
        if (subject.left != kNoExpr && end <= kLongestPacket)
            return decision;
        const bool isThere = decision.range.contains(1);
        const auto least = static_cast<std::uint32_t>(std::min<std::uint64_t>(end, kMaxValue));
        return {expressions_.length(),
                {least, kMaxValue},
                isThere ? decision.inside : decision.outside,
                isThere ? decision.outside : decision.inside};
    }

    std::optional<bool> answerOf(const Decision& decision) const {
        const Range& range = decision.range;
        const auto known = values_.find(decision.subject);
        const Values values =
            known == values_.end() ? Values{{0, expressions_.maximum(decision.subject)}} : known->second;
        if (within(values, range).empty())
            return false;
        if (without(values, range).empty())
            return true;
        const bool hasOtherBits = range.isSingle() && (range.low & ~expressions_.bits(decision.subject)) != 0;
        return hasOtherBits ? std::optional(false) : std::nullopt;
    }

    Expressions& expressions_;
    Decisions& decisions_;
    std::map<ExprId, Values> values_;
};

// Also of a packet that hides a part of itself.
bool alwaysMatches(NodeId rule, Expressions& expressions, Decisions& decisions) {
    for (const Version version : {Version::V4, Version::V6})
        for (const auto& view : {wholeView(expressions, version), hiddenView(expressions, version)})
            if (specialise(rule, view, expressions, decisions) != kMatch)
                return false;
    return true;
}

} // namespace

bool canMatch(NodeId rule, Expressions& expressions, const Decisions& decisions,
              const std::map<ExprId, std::uint32_t>& known) {
    std::map<ExprId, Values> values;
    for (const auto& [subject, value] : known)
        values[subject] = {{value, value}};
    return Attempt(expressions, decisions, std::move(values), kMatch, Limits::OfValues).reaches(rule);
}

bool canMatch(const CbpfProgram& program) {
    Expressions expressions;
    Decisions decisions;
    const auto rule = readCbpf(program, expressions, decisions);
    return !rule || canMatch(*rule, expressions, decisions);
}

Matches matchesOf(const CbpfProgram& program) {
    Expressions expressions;
    Decisions decisions;
    const auto rule = readCbpf(program, expressions, decisions);
    if (!rule)
        return Matches::Some;
    bool some = false;
    bool all = true;
    for (const Version version : {Version::V4, Version::V6}) {
        OfVersion packets(version, expressions, decisions);
        const NodeId folded = packets.fold(*rule);
        some = some || packets.reaches(folded, kMatch);
        all = all && !packets.reaches(folded, kNoMatch);
    }
    if (!some)
        return Matches::None;
    return all && alwaysMatches(*rule, expressions, decisions) ? Matches::All : Matches::Some;
}

} // namespace filterd::packet
