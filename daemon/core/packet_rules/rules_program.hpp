// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Compiles packet rules into one eBPF program of type cgroup_skb: the first rule that matches decides.
//
// A packet whose header is whole is judged exactly as libpcap's bpf_filter() would. Where a rule's answer
// hangs on what cannot be seen (a fragment, IPv6 extension headers, half a header), the rule cannot judge: if
// the rules behind it come to its verdict all the same, that is the verdict; if not, `unparsable` is.

#include "base/result.hpp"
#include "core/packet_rules/cbpf.hpp"
#include "core/packet_rules/combine.hpp"

#include <cstdint>
#include <linux/bpf.h>

namespace filterd::packet {

struct RuleCode {
    CbpfProgram program; // for packets that begin with the IP header (DLT_RAW)
    Verdict verdict = Verdict::Deny;
    std::uint32_t counter = kFirstRule; // its entry in the map of counters
};

struct RulesInput {
    std::vector<RuleCode> rules;
    Verdict byDefault = Verdict::Deny;
    Verdict unparsable = Verdict::Deny;
};

// An entry of the map of counters, of type per-CPU array with keys of 4 bytes. Entries kByDefault and
// kByUnparsable count what no rule has decided.
struct RuleCounter {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    bool operator==(const RuleCounter&) const = default;
};

inline constexpr std::size_t kMaxPacketRules = 4096;

// The only map, the counters, has index 0. Errors: Unsupported, InvalidArgument, LimitExceeded; "rule N: …"
// where one rule is the reason.
[[nodiscard]] Result<std::vector<bpf_insn>> compile(const RulesInput& input);

// Without the part that reaches a plain packet's bytes directly: `compile` does so where the rules would
// become too large with it.
[[nodiscard]] Result<std::vector<bpf_insn>> compileSmall(const RulesInput& input);

} // namespace filterd::packet
