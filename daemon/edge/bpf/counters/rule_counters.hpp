// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The counters of packet rules: a per-CPU array.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/packet_rules/rules_program.hpp"

namespace filterd::bpf {

[[nodiscard]] Result<UniqueFd> createRuleCounters(std::uint32_t capacity);
// The sum of all CPUs.
[[nodiscard]] Result<packet::RuleCounter> readRuleCounter(int map, std::uint32_t entry);
[[nodiscard]] Status writeRuleCounter(int map, std::uint32_t entry, const packet::RuleCounter& counter);

} // namespace filterd::bpf
