// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Writes a graph of decisions as instructions.

#include "core/ebpf/assembler.hpp"
#include "core/packet_rules/decision.hpp"
#include "core/packet_rules/frame.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace filterd::packet {

class Emitter {
  public:
    // Leaves jump to `outcomes`, by their meaning.
    Emitter(Assembler& code, const Expressions& expressions, const Decisions& decisions,
            std::span<const Label> outcomes, Reach reach)
        : code_(code), expressions_(expressions), decisions_(decisions), outcomes_(outcomes), reach_(reach) {}

    // Errors: LimitExceeded for calculations that are too deep.
    [[nodiscard]] Status write(NodeId root);

  private:
    static constexpr std::size_t kRegisters = 10;
    using Held = std::array<ExprId, kRegisters>; // which value a register holds

    void order(NodeId root);
    void writeNode(NodeId node, std::optional<NodeId> next);
    void branch(std::uint8_t value, const Range& range, Label inside, Label outside, bool insideIsNext);
    void passOn(const Decision& decision, NodeId to);
    Label labelOf(NodeId node) const;

    std::uint8_t evaluate(ExprId id, std::int32_t depth = 0);
    std::uint8_t keep(ExprId id, std::uint8_t from);
    std::uint8_t choose() const;
    void loadDirectly(const Expression& load, std::uint8_t target);
    void loadByCall(const Expression& load, std::int32_t depth);
    void fits(const Expression& fits, std::int32_t depth);
    void calculate(const Expression& expression, std::int32_t depth);
    void apply(Op op, std::uint32_t right);
    void applyWith(Op op);
    void shift(std::uint8_t operation);
    void addOffset(std::uint8_t target, std::uint64_t offset);
    bool inReach(const Expression& load) const {
        return load.left == kNoExpr && load.value + std::uint64_t{load.size} <= reach_.bytes;
    }

    Assembler& code_;
    const Expressions& expressions_;
    const Decisions& decisions_;
    std::span<const Label> outcomes_;
    Reach reach_;

    std::vector<NodeId> order_; // every node behind all that lead to it: jumps lead forward
    std::map<NodeId, Label> labels_;
    std::map<NodeId, Held> arriving_; // what registers hold on every way to a node
    Held held_{};
    mutable std::size_t turn_ = 0;
    bool tooDeep_ = false;
};

} // namespace filterd::packet
