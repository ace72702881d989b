// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells what packet rules mean, independently of how filterd compiles them: libpcap's own bpf_filter() where
// the whole packet can be judged, an interpreter that follows both answers where a part of it is hidden.

#include "core/packet_rules/rules_program.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace filterd::test {

struct Packet {
    std::uint16_t etherType = 0;
    std::vector<std::uint8_t> bytes; // from the IP header on
};

// Says who decides, as in core/packet_rules/combine.hpp.
struct Decided {
    std::uint32_t by = 0;
    packet::Verdict verdict = packet::Verdict::Deny;
    bool hidden = false; // decided by the model, not by libpcap
};

[[nodiscard]] Decided judge(const packet::RulesInput& rules, const Packet& packet);

} // namespace filterd::test
