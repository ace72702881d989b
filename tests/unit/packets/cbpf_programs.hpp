// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Classic programs, and the graphs that are made of them.

#include "core/packet_rules/rules_program.hpp"
#include "core/packet_rules/view.hpp"

#include <map>

namespace filterd::packet {

inline sock_filter load(std::uint32_t offset, std::uint16_t size = BPF_B) {
    return {static_cast<__u16>(BPF_LD | BPF_ABS | size), 0, 0, offset};
}
inline sock_filter equals(std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
    return {BPF_JMP | BPF_JEQ | BPF_K, yes, no, value};
}
inline sock_filter end(std::uint32_t value) { return {BPF_RET | BPF_K, 0, 0, value}; }

inline Result<NodeId> read(const CbpfProgram& program) {
    Expressions expressions;
    Decisions decisions;
    return readCbpf(program, expressions, decisions);
}

// Follows a graph with the values of a few loads.
inline std::uint32_t follow(NodeId node, const Decisions& decisions,
                            const std::map<ExprId, std::uint32_t>& values) {
    while (!node.isLeaf()) {
        const auto& decision = decisions[node];
        node = decision.range.contains(values.at(decision.subject)) ? decision.inside : decision.outside;
    }
    return node.meaning();
}

} // namespace filterd::packet
