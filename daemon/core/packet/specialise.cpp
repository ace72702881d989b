#include "core/packet/classic.hpp"
#include "core/packet/view.hpp"

#include <algorithm>
#include <functional>

namespace filterd::packet {

namespace {

// Rules that hang on hidden bytes in more ways than this cannot be judged.
constexpr std::size_t kMaxStates = 20'000;

class Specialiser {
  public:
    Specialiser(const PacketView& view, Expressions& expressions, Decisions& decisions)
        : view_(view), expressions_(expressions), decisions_(decisions) {}

    NodeId run(NodeId rule) { return follow({rule}); }

  private:
    // All that may come next, largest first; leaves are largest.
    using Frontier = std::vector<NodeId>;

    NodeId follow(Frontier frontier);
    NodeId ask(const Frontier& frontier);
    NodeId askVisible(const Frontier& rest, const Decision& decision, ExprId subject);
    NodeId askNextHeader(const Frontier& rest, const Decision& decision);
    NodeId askFragment(const Frontier& rest, const Decision& decision, ExprId subject);
    NodeId askUpperProtocol(const Frontier& rest, const Decision& decision);
    std::optional<bool> answer(ExprId subject, const Range& range) const;
    ExprId simplify(ExprId id);
    ExprId rebuild(const Expression& expression);
    bool hidden(ExprId id) const;
    bool reachesHidden(NodeId node);

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
    bool isHiddenV6() const { return view_.visible && view_.version == Version::V6; }

    const PacketView& view_;
    Expressions& expressions_;
    Decisions& decisions_;
    std::map<Frontier, NodeId> followed_;
    std::map<ExprId, ExprId> simplified_;
    std::map<NodeId, bool> reaching_;
};

NodeId Specialiser::follow(Frontier frontier) {
    std::sort(frontier.begin(), frontier.end(), std::greater<>());
    frontier.erase(std::unique(frontier.begin(), frontier.end()), frontier.end());
    const auto leaves =
        std::count_if(frontier.begin(), frontier.end(), [](NodeId id) { return id.isLeaf(); });
    if (leaves > 1 || frontier.front() == kCannotJudge)
        return kCannotJudge;
    if (frontier.size() == 1 && leaves == 1)
        return frontier.front();
    if (const auto known = followed_.find(frontier); known != followed_.end())
        return known->second;
    if (followed_.size() > kMaxStates)
        return kCannotJudge;
    const NodeId result = ask(frontier);
    followed_.emplace(std::move(frontier), result);
    return result;
}

// The first question in the order of the rule.
NodeId Specialiser::ask(const Frontier& frontier) {
    const auto next = std::find_if(frontier.begin(), frontier.end(), [](NodeId id) { return !id.isLeaf(); });
    const Decision decision = decisions_[*next];
    Frontier rest = frontier;
    rest.erase(rest.begin() + (next - frontier.begin()));

    const ExprId subject = simplify(decision.subject);
    if (isHiddenV6() && decision.range.isSingle() && isByte(subject, kProtocolV6))
        return askNextHeader(rest, decision);
    if (isHiddenV6() && decision.range.isSingle() && isByte(subject, kHeaderV6))
        return decisions_.decide(protocolOf(expressions_, Version::V6), {kFragmentHeader, kFragmentHeader},
                                 askUpperProtocol(rest, decision), withBoth(rest, decision));
    if (hidden(subject))
        return withBoth(rest, decision);
    if (const auto known = answer(subject, decision.range))
        return with(rest, *known ? decision.inside : decision.outside);
    return askVisible(rest, decision, subject);
}

NodeId Specialiser::askVisible(const Frontier& rest, const Decision& decision, ExprId subject) {
    const bool isFragment =
        view_.visible && view_.version == Version::V4 &&
        subject == expressions_.binary(Op::And, expressions_.load(2, kNoExpr, kFragmentV4),
                                       expressions_.constant(kFragmentMask));
    if (isFragment)
        return askFragment(rest, decision, subject);
    return decisions_.decide(subject, decision.range, with(rest, decision.inside),
                             with(rest, decision.outside));
}

// libpcap asks whether a packet is a fragment before it looks at a port, and gives up if it is: then the
// answer hangs on what the fragment hides.
NodeId Specialiser::askFragment(const Frontier& rest, const Decision& decision, ExprId subject) {
    const bool zeroInside = decision.range.contains(0);
    const NodeId whole = zeroInside ? decision.inside : decision.outside;
    if (!reachesHidden(whole))
        return decisions_.decide(subject, decision.range, with(rest, decision.inside),
                                 with(rest, decision.outside));
    const NodeId both = withBoth(rest, decision);
    const NodeId plain = with(rest, whole);
    return decisions_.decide(subject, {0, 0}, plain, both);
}

// Is this the next header? If not, it may be the protocol behind the extension headers, which is meant.
NodeId Specialiser::askNextHeader(const Frontier& rest, const Decision& decision) {
    return decisions_.decide(protocolOf(expressions_, Version::V6), decision.range,
                             with(rest, decision.inside), askUpperProtocol(rest, decision));
}

NodeId Specialiser::askUpperProtocol(const Frontier& rest, const Decision& decision) {
    return decisions_.decide(expressions_.upperProtocol(), decision.range, with(rest, decision.inside),
                             decisions_.decide(expressions_.upperProtocol(),
                                               {kUnknownProtocol, kUnknownProtocol}, withBoth(rest, decision),
                                               with(rest, decision.outside)));
}

std::optional<bool> Specialiser::answer(ExprId subject, const Range& range) const {
    if (expressions_.isConstant(subject))
        return range.contains(expressions_.valueOf(subject));
    const std::uint32_t maximum = expressions_.maximum(subject);
    if (range.low > maximum)
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

bool Specialiser::reachesHidden(NodeId node) {
    if (node.isLeaf())
        return false;
    if (const auto known = reaching_.find(node); known != reaching_.end())
        return known->second;
    const Decision decision = decisions_[node];
    const bool reaches = hidden(simplify(decision.subject)) || reachesHidden(decision.inside) ||
                         reachesHidden(decision.outside);
    reaching_.emplace(node, reaches);
    return reaches;
}

} // namespace

NodeId specialise(NodeId rule, const PacketView& view, Expressions& expressions, Decisions& decisions) {
    return Specialiser(view, expressions, decisions).run(rule);
}

} // namespace filterd::packet
