// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads a classic BPF program, as libpcap compiles expressions into, as a graph of decisions.

#include "base/result.hpp"
#include "core/packet_rules/decision.hpp"

#include <linux/filter.h>
#include <span>

namespace filterd::packet {

using CbpfProgram = std::vector<sock_filter>;

// The answers of a rule about a packet.
inline constexpr NodeId kMatch = leaf(0);
inline constexpr NodeId kNoMatch = leaf(1);
inline constexpr NodeId kCannotJudge = leaf(2);

// With exactly the meaning of libpcap's bpf_filter(): a load beyond the packet's end and a division by zero
// end the program without a match. Errors: Unsupported (loops; what only a capture device knows),
// InvalidArgument.
[[nodiscard]] Result<NodeId> readCbpf(std::span<const sock_filter> program, Expressions& expressions,
                                      Decisions& decisions);

} // namespace filterd::packet
