// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/map_kinds.hpp"

#include <linux/bpf.h>

namespace filterd {

std::string mapKind(std::uint32_t type) {
    switch (type) {
    case BPF_MAP_TYPE_HASH:
        return "hash";
    case BPF_MAP_TYPE_ARRAY:
        return "array";
    case BPF_MAP_TYPE_PROG_ARRAY:
        return "prog_array";
    case BPF_MAP_TYPE_PERCPU_HASH:
        return "percpu_hash";
    case BPF_MAP_TYPE_PERCPU_ARRAY:
        return "percpu_array";
    case BPF_MAP_TYPE_LRU_HASH:
        return "lru_hash";
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
        return "lru_percpu_hash";
    case BPF_MAP_TYPE_LPM_TRIE:
        return "lpm_trie";
    case BPF_MAP_TYPE_ARRAY_OF_MAPS:
        return "array_of_maps";
    case BPF_MAP_TYPE_HASH_OF_MAPS:
        return "hash_of_maps";
    case BPF_MAP_TYPE_RINGBUF:
        return "ringbuf";
    case BPF_MAP_TYPE_UNSPEC:
        return "unknown";
    default:
        return "type " + std::to_string(type);
    }
}

} // namespace filterd
