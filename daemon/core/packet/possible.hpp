#pragma once
// Whether a rule can match at all.

#include "core/packet/classic.hpp"

#include <map>

namespace filterd::packet {

// False if every way to a match asks for two different values of the same thing, `known` among them. What
// takes too long to find out is taken for possible.
[[nodiscard]] bool canMatch(NodeId rule, const Decisions& decisions,
                            const std::map<ExprId, std::uint32_t>& known = {});

// The same for an expression's program; a program that cannot be read is for others to refuse.
[[nodiscard]] bool canMatch(const ClassicProgram& program);

} // namespace filterd::packet
