// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/decision.hpp"

#include <algorithm>
#include <unordered_set>

namespace filterd::packet {

namespace {

bool overlap(const Range& a, const Range& b) { return a.low <= b.high && b.low <= a.high; }

// Draws two questions about one value together, e.g. "at least 10?" and then "more than 20?", which leads
// back where a no leads, into "from 10 to 20?". True while something changed.
bool drawTogether(Decision& outer, const Decision& inner) {
    if (!overlap(outer.range, inner.range)) {
        outer.inside = inner.outside;
        return true;
    }
    const Range common{std::max(outer.range.low, inner.range.low),
                       std::min(outer.range.high, inner.range.high)};
    if (common == outer.range) {
        outer.inside = inner.inside;
        return true;
    }
    if (inner.outside == outer.outside) {
        outer.range = common;
        outer.inside = inner.inside;
        return true;
    }
    if (inner.inside != outer.outside)
        return false;
    if (common.high == outer.range.high)
        outer.range.high = common.low - 1;
    else if (common.low == outer.range.low)
        outer.range.low = common.high + 1;
    else
        return false;
    outer.inside = inner.outside;
    return true;
}

} // namespace

NodeId Decisions::ask(const Decision& decision) {
    if (decision.inside == decision.outside)
        return decision.inside;
    const auto [found, isNew] = ids_.emplace(decision, NodeId{static_cast<std::uint32_t>(all_.size())});
    if (isNew)
        all_.push_back(decision);
    return found->second;
}

NodeId Decisions::decide(ExprId subject, Range range, NodeId inside, NodeId outside) {
    Decision decision{subject, range, inside, outside};
    while (!decision.inside.isLeaf() && all_[decision.inside.value].subject == subject &&
           drawTogether(decision, all_[decision.inside.value])) {
    }
    return ask(decision);
}

// A node's id is larger than those of the nodes it leads to.
std::vector<NodeId> nodesOf(NodeId root, const Decisions& decisions) {
    std::unordered_set<std::uint32_t> seen;
    std::vector<NodeId> nodes;
    const auto add = [&](NodeId node) {
        if (!node.isLeaf() && seen.insert(node.value).second)
            nodes.push_back(node);
    };
    add(root);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        add(decisions[nodes[i]].inside);
        add(decisions[nodes[i]].outside);
    }
    std::sort(nodes.begin(), nodes.end());
    return nodes;
}

} // namespace filterd::packet
