// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Compiles packet rules, and loads the program that they become.

#include "ports/ports.hpp"

namespace filterd::bpf {

// Errors: InvalidArgument, which names rule and column; LimitExceeded, Unsupported, KernelRefused.
[[nodiscard]] Result<FilterProgram> loadPacketRules(const packet::PacketRules& rules,
                                                    const ObjectRequest& request,
                                                    packet::ExpressionCompiler& expressions);

// Refuses what loadPacketRules() refuses, as far as that needs no kernel.
[[nodiscard]] Result<ObjectOutline> inspectRules(const packet::PacketRules& rules,
                                                 const ObjectRequest& request,
                                                 packet::ExpressionCompiler& expressions);

} // namespace filterd::bpf
