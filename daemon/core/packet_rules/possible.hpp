// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Whether a rule can match at all, and whether it can do anything else.

#include "core/packet_rules/cbpf.hpp"

#include <map>

namespace filterd::packet {

// False if every way to a match asks for two different values of the same thing, `known` among them. What
// takes too long to find out is taken for possible.
[[nodiscard]] bool canMatch(NodeId rule, Expressions& expressions, const Decisions& decisions,
                            const std::map<ExprId, std::uint32_t>& known = {});

// The same for an expression's program; a program that cannot be read is for others to refuse.
[[nodiscard]] bool canMatch(const CbpfProgram& program);

// Tells how many match of the packets that a cgroup meets: those of IPv4 and IPv6, from their shortest to
// their longest.
enum class Matches : std::uint8_t { None, Some, All };

// Returns Some if it takes too long to find out. All: there is no packet that the rule could not judge,
// either.
[[nodiscard]] Matches matchesOf(const CbpfProgram& program);

} // namespace filterd::packet
