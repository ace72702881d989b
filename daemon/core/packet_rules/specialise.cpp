// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/cbpf.hpp"
#include "core/packet_rules/view.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

namespace filterd::packet {

namespace {

// Rules that hang on hidden bytes in more ways than this cannot be judged.
constexpr std::size_t kMaxStates = 20'000;

class Specialiser {
  public:
    Specialiser(const PacketView& view, Expressions& expressions, Decisions& decisions)
        : view_(view), expressions_(expressions), decisions_(decisions) {}

    NodeId run(NodeId rule);

  private:
    // All that may come next, largest first; leaves are largest.
    using Frontier = std::vector<NodeId>;

    NodeId follow(Frontier frontier);
    std::optional<NodeId> endOf(const Frontier& frontier) const;
    Frontier advance(Frontier frontier);
    NodeId ask(const Frontier& frontier);
    NodeId askVisible(const Frontier& rest, const Decision& decision, ExprId subject);
    NodeId askHeader(const Frontier& rest, const Decision& decision);
    NodeId askBehindFragment(const Frontier& rest, const Decision& decision);
    NodeId askFragment(const Frontier& rest, const Decision& decision, ExprId subject);
    NodeId decide(ExprId subject, Range range, NodeId inside, NodeId outside) {
        return missing_.empty() ? decisions_.decide(subject, range, inside, outside) : kCannotJudge;
    }
    std::optional<bool> answer(ExprId subject, const Range& range) const;
    ExprId simplify(ExprId id);
    ExprId rebuild(const Expression& expression);
    bool hidden(ExprId id) const;
    void findReaching(NodeId rule);
    bool reachesHidden(NodeId node) const { return reaching_.contains(node); }

    NodeId with(Frontier rest, NodeId one) {
        rest.push_back(one);
        return follow(std::move(rest));
    }
    NodeId withBoth(Frontier rest, const Decision& decision) {
        rest.push_back(decision.inside);
        return with(std::move(rest), decision.outside);
    }
    bool isByte(ExprId id, std::uint32_t offset) const {
        const Expression expression = expressions_[id];
        return expression.op == Op::Load && expression.left == kNoExpr && expression.size == 1 &&
               expression.value == offset;
    }
    bool isHeaderQuestion(ExprId subject, const Range& range) const {
        return view_.visible && view_.version == Version::V6 && range.isSingle() &&
               (isByte(subject, kProtocolV6) || isByte(subject, kHeaderV6));
    }

    const PacketView& view_;
    Expressions& expressions_;
    Decisions& decisions_;
    std::map<Frontier, NodeId> followed_;
    std::vector<Frontier> missing_; // what must be followed before the frontier at hand
    std::map<ExprId, ExprId> simplified_;
    std::set<NodeId> reaching_;
};

void sortUnique(std::vector<NodeId>& frontier) {
    std::sort(frontier.begin(), frontier.end(), std::greater<>());
    frontier.erase(std::unique(frontier.begin(), frontier.end()), frontier.end());
}

// Not by recursion, see nodesOf(): a frontier waits until all that it leads to have been followed.
NodeId Specialiser::run(NodeId rule) {
    if (view_.visible && view_.version == Version::V4)
        findReaching(rule);
    NodeId result = follow({rule});
    for (std::vector<Frontier> waiting = std::move(missing_); !waiting.empty();) {
        missing_.clear();
        const Frontier frontier = waiting.back();
        const NodeId node = followed_.size() > kMaxStates ? kCannotJudge : ask(frontier);
        if (missing_.empty()) {
            followed_.emplace(frontier, node);
            waiting.pop_back();
            result = node;
        }
        std::move(missing_.begin(), missing_.end(), std::back_inserter(waiting));
    }
    return result;
}

// Returns what the node comes to, or notes that it must be followed first.
NodeId Specialiser::follow(Frontier frontier) {
    frontier = advance(std::move(frontier));
    if (const auto end = endOf(frontier))
        return *end;
    if (const auto known = followed_.find(frontier); known != followed_.end())
        return known->second;
    missing_.push_back(std::move(frontier));
    return kCannotJudge;
}

std::optional<NodeId> Specialiser::endOf(const Frontier& frontier) const {
    const auto leaves =
        std::count_if(frontier.begin(), frontier.end(), [](NodeId id) { return id.isLeaf(); });
    if (leaves > 1 || frontier.front() == kCannotJudge)
        return kCannotJudge;
    return frontier.size() == 1 && leaves == 1 ? std::optional(frontier.front()) : std::nullopt;
}

// Past all questions that this class of packets answers and all that are hidden, to one that is asked.
Specialiser::Frontier Specialiser::advance(Frontier frontier) {
    for (sortUnique(frontier); !endOf(frontier); sortUnique(frontier)) {
        const auto next =
            std::find_if(frontier.begin(), frontier.end(), [](NodeId id) { return !id.isLeaf(); });
        const Decision decision = decisions_[*next];
        const ExprId subject = simplify(decision.subject);
        const bool both = hidden(subject) && !isHeaderQuestion(subject, decision.range);
        const auto known = answer(subject, decision.range);
        if (!both && !known)
            break;
        *next = both || *known ? decision.inside : decision.outside;
        if (both)
            frontier.push_back(decision.outside);
    }
    return frontier;
}

// The first question in the order of the rule.
NodeId Specialiser::ask(const Frontier& frontier) {
    const auto next = std::find_if(frontier.begin(), frontier.end(), [](NodeId id) { return !id.isLeaf(); });
    const Decision decision = decisions_[*next];
    Frontier rest = frontier;
    rest.erase(rest.begin() + (next - frontier.begin()));

    const ExprId subject = simplify(decision.subject);
    if (!isHeaderQuestion(subject, decision.range))
        return askVisible(rest, decision, subject);
    return isByte(subject, kProtocolV6) ? askHeader(rest, decision) : askBehindFragment(rest, decision);
}

NodeId Specialiser::askVisible(const Frontier& rest, const Decision& decision, ExprId subject) {
    const bool isFragment =
        view_.visible && view_.version == Version::V4 &&
        subject == expressions_.binary(Op::And, expressions_.load(2, kNoExpr, kFragmentV4),
                                       expressions_.constant(kFragmentMask));
    if (isFragment)
        return askFragment(rest, decision, subject);
    return decide(subject, decision.range, with(rest, decision.inside), with(rest, decision.outside));
}

// libpcap asks whether a packet is a fragment before it looks at a port, and gives up if it is: then the
// answer hangs on what the fragment hides.
NodeId Specialiser::askFragment(const Frontier& rest, const Decision& decision, ExprId subject) {
    const bool zeroInside = decision.range.contains(0);
    const NodeId whole = zeroInside ? decision.inside : decision.outside;
    if (!reachesHidden(whole))
        return decide(subject, decision.range, with(rest, decision.inside), with(rest, decision.outside));
    const NodeId both = withBoth(rest, decision);
    const NodeId plain = with(rest, whole);
    return decide(subject, {0, 0}, plain, both);
}

// Is this the next header? All headers of the chain are meant, and the protocol behind them.
NodeId Specialiser::askHeader(const Frontier& rest, const Decision& decision) {
    const NodeId yes = with(rest, decision.inside);
    const NodeId no = decide(expressions_.upperProtocol(), {kUnknownProtocol, kUnknownProtocol},
                             withBoth(rest, decision), with(rest, decision.outside));
    if (const auto bit = extensionBit(decision.range.low))
        return decide(expressions_.binary(Op::And, expressions_.extensions(), expressions_.constant(*bit)),
                      {1, kMaxValue}, yes, no);
    return decide(expressions_.upperProtocol(), decision.range, yes, no);
}

// libpcap looks at this byte where a fragment header is the next.
NodeId Specialiser::askBehindFragment(const Frontier& rest, const Decision& decision) {
    const ExprId fragment = expressions_.binary(Op::And, expressions_.extensions(),
                                                expressions_.constant(*extensionBit(kFragmentHeader)));
    const NodeId behind = askHeader(rest, decision);
    return decide(fragment, {1, kMaxValue}, behind, withBoth(rest, decision));
}

std::optional<bool> Specialiser::answer(ExprId subject, const Range& range) const {
    if (expressions_.isConstant(subject))
        return range.contains(expressions_.valueOf(subject));
    const std::uint32_t maximum = expressions_.maximum(subject);
    if (range.low > maximum || (range.isSingle() && (range.low & ~expressions_.bits(subject)) != 0))
        return false;
    if (range.low == 0 && range.high >= maximum)
        return true;
    const Expression expression = expressions_[subject];
    if (expression.op == Op::Length && range.high == kMaxValue && range.low <= view_.minimumLength)
        return true;
    if (expression.op == Op::Length && range.high < view_.minimumLength)
        return false;
    const auto different = view_.different.find(subject);
    if (different != view_.different.end() && range.isSingle() && different->second.contains(range.low))
        return false;
    return std::nullopt;
}

ExprId Specialiser::simplify(ExprId id) {
    if (const auto known = view_.known.find(id); known != view_.known.end())
        return expressions_.constant(known->second);
    if (const auto done = simplified_.find(id); done != simplified_.end())
        return done->second;
    const ExprId result = rebuild(expressions_[id]);
    simplified_.emplace(id, result);
    return result == id ? id : simplify(result);
}

ExprId Specialiser::rebuild(const Expression& expression) {
    const ExprId left = expression.left == kNoExpr ? kNoExpr : simplify(expression.left);
    switch (expression.op) {
    case Op::Constant:
        return expressions_.constant(expression.value);
    case Op::Length:
        return expressions_.length();
    case Op::UpperProtocol:
        return expressions_.upperProtocol();
    case Op::Extensions:
        return expressions_.extensions();
    case Op::Load:
        return expressions_.load(expression.size, left, expression.value);
    case Op::Fits: {
        // A header that is not there is hidden, and that is the answer to all questions about it.
        if (view_.visible)
            return expressions_.constant(1);
        const ExprId fits = expressions_.fits(expression.size, left, expression.value);
        const Expression folded = expressions_[fits];
        const bool always = folded.op == Op::Fits && folded.left == kNoExpr &&
                            folded.value + std::uint64_t{folded.size} <= view_.minimumLength;
        return always ? expressions_.constant(1) : fits;
    }
    default:
        return expressions_.binary(expression.op, left, simplify(expression.right));
    }
}

bool Specialiser::hidden(ExprId id) const {
    if (!view_.visible)
        return false;
    const Expression expression = expressions_[id];
    if (expression.op == Op::Load)
        return expression.left != kNoExpr ||
               expression.value + std::uint64_t{expression.size} > *view_.visible;
    return (expression.left != kNoExpr && hidden(expression.left)) ||
           (expression.right != kNoExpr && hidden(expression.right));
}

void Specialiser::findReaching(NodeId rule) {
    for (const NodeId node : nodesOf(rule, decisions_)) {
        const Decision decision = decisions_[node];
        if (hidden(simplify(decision.subject)) || reachesHidden(decision.inside) ||
            reachesHidden(decision.outside))
            reaching_.insert(node);
    }
}

} // namespace

NodeId specialise(NodeId rule, const PacketView& view, Expressions& expressions, Decisions& decisions) {
    return Specialiser(view, expressions, decisions).run(rule);
}

} // namespace filterd::packet
