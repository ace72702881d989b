// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A rule as a graph of questions to a packet: is a value within a range? Every path ends at a leaf. Equal
// questions with equal answers are one node; a node's id is larger than those of the nodes it leads to.

#include "core/packet_rules/expression.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace filterd::packet {

struct NodeId {
    std::uint32_t value = 0; // of a leaf: kLeaf + its meaning
    static constexpr std::uint32_t kLeaf = 1U << 31;
    [[nodiscard]] bool isLeaf() const { return value >= kLeaf; }
    [[nodiscard]] std::uint32_t meaning() const { return value - kLeaf; }
    auto operator<=>(const NodeId&) const = default;
};

[[nodiscard]] constexpr NodeId leaf(std::uint32_t meaning) { return {NodeId::kLeaf + meaning}; }

struct Decision {
    ExprId subject = kNoExpr;
    Range range;
    NodeId inside;
    NodeId outside;
    auto operator<=>(const Decision&) const = default;
};

class Decisions {
  public:
    [[nodiscard]] NodeId ask(const Decision& decision);
    // The same, drawn together with a question about the same value that follows.
    [[nodiscard]] NodeId decide(ExprId subject, Range range, NodeId inside, NodeId outside);
    [[nodiscard]] const Decision& operator[](NodeId id) const { return all_[id.value]; }

  private:
    std::vector<Decision> all_;
    std::map<Decision, NodeId> ids_;
};

// The nodes of a graph, leaves left out, each behind all that it leads to. Graphs are as deep as their rules
// are long: whoever walks one does it along this list, not by recursion.
[[nodiscard]] std::vector<NodeId> nodesOf(NodeId root, const Decisions& decisions);

} // namespace filterd::packet
