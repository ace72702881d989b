// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/counters/rule_counters.hpp"

#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

namespace filterd::bpf {

namespace {

using packet::RuleCounter;

Result<std::vector<RuleCounter>> forAllCpus() {
    const int cpus = ::libbpf_num_possible_cpus();
    if (cpus < 0)
        return failure(systemError("count the CPUs", -cpus));
    return std::vector<RuleCounter>(static_cast<std::size_t>(cpus));
}

} // namespace

Result<UniqueFd> createRuleCounters(std::uint32_t capacity) {
    return createMap("rules",
                     {BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(std::uint32_t), sizeof(RuleCounter), capacity});
}

Result<RuleCounter> readRuleCounter(int map, std::uint32_t entry) {
    auto values = forAllCpus();
    if (!values)
        return failure(values.error());
    if (::bpf_map_lookup_elem(map, &entry, values->data()) < 0)
        return failure(systemError("read the counters of rules", errno));
    RuleCounter sum;
    for (const auto& value : *values) {
        sum.packets += value.packets;
        sum.bytes += value.bytes;
    }
    return sum;
}

Status writeRuleCounter(int map, std::uint32_t entry, const RuleCounter& counter) {
    auto values = forAllCpus();
    if (!values)
        return failure(values.error());
    values->front() = counter;
    return updateElement(map, &entry, values->data());
}

} // namespace filterd::bpf
