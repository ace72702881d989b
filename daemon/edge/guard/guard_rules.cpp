// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/guard_rules.hpp"

#include "bpf/guard.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <optional>

namespace filterd {

namespace {

std::vector<std::uint32_t> keysOf(int map) {
    std::vector<std::uint32_t> keys;
    for (std::uint32_t key = 0;; keys.push_back(key))
        if (const auto* before = keys.empty() ? nullptr : &keys.back();
            bpf_map_get_next_key(map, before, &key) < 0)
            return keys;
}

Status writeWideGlobs(int map, std::uint32_t first, const std::vector<GuardRule>& rules) {
    for (const auto key : keysOf(map))
        if (key >= first && key < first + GUARD_RULES_MAX)
            bpf_map_delete_elem(map, &key);
    for (std::uint32_t i = 0; i < rules.size(); ++i) {
        const auto key = first + i;
        const auto* wide = rules[i].glob.wide();
        if (wide != nullptr && bpf_map_update_elem(map, &key, wide, BPF_ANY) < 0)
            return failure(systemError("write the guard's rules", errno));
    }
    return {};
}

} // namespace

Status writeGuardRules(const GuardRuleMaps& maps, std::uint32_t half, const std::vector<GuardRule>& rules) {
    const auto first = half * GUARD_RULES_MAX;
    if (auto written = writeWideGlobs(maps.wideGlobs, first, rules); !written)
        return written;
    std::vector<std::uint32_t> keys;
    std::vector<guard_rule> values;
    keys.reserve(rules.size());
    values.reserve(rules.size());
    for (const auto& rule : rules) {
        keys.push_back(first + static_cast<std::uint32_t>(keys.size()));
        values.push_back({rule.glob.automaton(), rule.slot ? rule.slot->value : 0, rule.ofUser ? 1U : 0U});
    }
    auto count = static_cast<std::uint32_t>(keys.size());
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    if (bpf_map_update_batch(maps.rules, keys.data(), values.data(), &count, &options) < 0)
        return failure(systemError("write the guard's rules", errno));
    return {};
}

} // namespace filterd
