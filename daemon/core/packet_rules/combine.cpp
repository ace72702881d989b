// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/combine.hpp"

#include "core/packet_rules/cbpf.hpp"

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

    NodeId graft(NodeId rule) {
        for (const NodeId node : nodesOf(rule, decisions_)) {
            const Decision decision = decisions_[node];
            done_.emplace(node, decisions_.decide(decision.subject, decision.range, exit(decision.inside),
                                                  exit(decision.outside)));
        }
        return exit(rule);
    }

  private:
    NodeId exit(NodeId node) const {
        if (node == kMatch)
            return match_;
        if (node == kNoMatch)
            return noMatch_;
        return node == kCannotJudge ? cannotJudge_ : done_.at(node);
    }

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

NodeId combine(std::span<const CombinedRule> rules, Verdict byDefault, Decisions& decisions) {
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
