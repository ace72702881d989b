#include "core/packet/link.hpp"

#include "core/packet/classic.hpp"

#include <array>

namespace filterd::packet {

namespace {

// The verdicts of the rules so far that could not judge.
enum Pending : std::size_t { None, Deny, Allow, kPendings };

Pending pendingOf(Verdict verdict) { return verdict == Verdict::Deny ? Deny : Allow; }

using Exits = std::array<NodeId, kPendings>;

// Replaces the leaves of one rule's graph.
class Grafting {
  public:
    Grafting(Decisions& decisions, NodeId match, NodeId noMatch, NodeId cannotJudge)
        : decisions_(decisions), match_(match), noMatch_(noMatch), cannotJudge_(cannotJudge) {}

    NodeId graft(NodeId node) {
        if (node == kMatch)
            return match_;
        if (node == kNoMatch)
            return noMatch_;
        if (node == kCannotJudge)
            return cannotJudge_;
        if (const auto known = done_.find(node); known != done_.end())
            return known->second;
        const Decision decision = decisions_[node];
        const NodeId inside = graft(decision.inside);
        const NodeId result =
            decisions_.decide(decision.subject, decision.range, inside, graft(decision.outside));
        done_.emplace(node, result);
        return result;
    }

  private:
    Decisions& decisions_;
    NodeId match_;
    NodeId noMatch_;
    NodeId cannotJudge_;
    std::map<NodeId, NodeId> done_;
};

NodeId decided(std::uint32_t by, Verdict verdict, Pending pending) {
    return leaf(pending == None || pending == pendingOf(verdict) ? by : kByUnparsable);
}

} // namespace

NodeId link(std::span<const LinkedRule> rules, Verdict byDefault, Decisions& decisions) {
    Exits exits{};
    for (const Pending pending : {None, Deny, Allow})
        exits[pending] = decided(kByDefault, byDefault, pending);
    for (std::size_t i = rules.size(); i-- > 0;) {
        const Pending own = pendingOf(rules[i].verdict);
        const Exits behind = exits;
        for (const Pending pending : {None, Deny, Allow}) {
            const NodeId match =
                decided(kFirstRule + static_cast<std::uint32_t>(i), rules[i].verdict, pending);
            const NodeId cannotJudge = pending == None || pending == own ? behind[own] : leaf(kByUnparsable);
            exits[pending] = Grafting(decisions, match, behind[pending], cannotJudge).graft(rules[i].node);
        }
    }
    return exits[None];
}

} // namespace filterd::packet
