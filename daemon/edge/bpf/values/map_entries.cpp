// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/values/map_entries.hpp"

#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <sys/mman.h>
#include <thread>

namespace filterd::bpf {

namespace {

constexpr std::size_t kPerCpuAlignment = 8;

bool isPerCpu(std::uint32_t type) {
    return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
           type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

bool isArray(std::uint32_t type) { return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY; }

bool hasEntries(std::uint32_t type) {
    return isArray(type) || isPerCpu(type) || type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH ||
           type == BPF_MAP_TYPE_LPM_TRIE;
}

std::size_t perCpuSize(std::size_t size) {
    return (size + kPerCpuAlignment - 1) / kPerCpuAlignment * kPerCpuAlignment;
}

// The kernel takes memory for an entry of a trie without waiting for any, so it fails with ENOMEM as soon as
// the memory limit of this process is used up, be it by cached files that could go. Memory that a process
// touches is waited for: what this takes and gives back is free afterwards.
void makeRoomForEntries() {
    constexpr std::size_t kSize = 1U << 20;
    void* memory =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory != MAP_FAILED)
        ::munmap(memory, kSize);
}

// As bpf_map_update_elem(); returns 0 or an errno.
int updateWithRoom(int map, const void* key, const void* value) {
    constexpr int kTries = 50;
    for (int tries = 1;; ++tries) {
        if (::bpf_map_update_elem(map, key, value, BPF_ANY) == 0)
            return 0;
        if (errno != ENOMEM || tries == kTries)
            return errno;
        makeRoomForEntries();
        std::this_thread::sleep_for(std::chrono::milliseconds(tries > 2 ? 1 : 0)); // kswapd, and other CPUs
    }
}

tl::unexpected<Error> refused(const char* what, int errnum) {
    if (errnum == ENOENT)
        return failure(ErrorCode::NoSuchEntry, "there is no entry with this key");
    if (errnum == E2BIG || errnum == ENOSPC)
        return failure(ErrorCode::LimitExceeded, "the map is full, or has no room for this key");
    return failure(systemError(what, errnum));
}

} // namespace

bool canBeReplaced(std::uint32_t mapType) {
    return hasEntries(mapType) && !isArray(mapType) && !isPerCpu(mapType);
}

Error notReplaceable() {
    return {ErrorCode::Unsupported, "only hashes and tries can be set as a whole; set single entries"};
}

Result<MapEntries> MapEntries::of(int map) {
    const auto info = mapInfo(map);
    if (!info)
        return failure(info.error());
    if (!hasEntries(info->type))
        return failure(ErrorCode::Unsupported,
                       "a map of this type has no entries that can be looked at or set");
    MapEntries entries;
    entries.map_ = map;
    entries.type_ = info->type;
    entries.keySize_ = info->key_size;
    entries.valueSize_ = info->value_size;
    entries.maxEntries_ = info->max_entries;
    if (isPerCpu(info->type))
        entries.cpus_ = static_cast<std::size_t>(std::max(1, ::libbpf_num_possible_cpus()));
    return entries;
}

Result<MapEntries::Values> MapEntries::lookup(const Bytes& key) const {
    const std::size_t stride = cpus_ == 0 ? valueSize_ : perCpuSize(valueSize_);
    Bytes buffer(stride * std::max<std::size_t>(1, cpus_));
    if (::bpf_map_lookup_elem(map_, key.data(), buffer.data()) < 0)
        return refused("look up a map entry", errno);
    Values values;
    for (std::size_t at = 0; at < buffer.size(); at += stride)
        values.emplace_back(buffer.begin() + static_cast<std::ptrdiff_t>(at),
                            buffer.begin() + static_cast<std::ptrdiff_t>(at + valueSize_));
    return values;
}

Status MapEntries::update(const Bytes& key, const Bytes& value) const {
    Bytes buffer = value;
    if (cpus_ > 0) {
        buffer.assign(perCpuSize(valueSize_) * cpus_, std::byte{});
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu)
            std::copy(value.begin(), value.end(),
                      buffer.begin() + static_cast<std::ptrdiff_t>(cpu * perCpuSize(valueSize_)));
    }
    if (const int error = updateWithRoom(map_, key.data(), buffer.data()); error != 0)
        return refused("update a map entry", error);
    return {};
}

Status MapEntries::remove(const Bytes& key) const {
    if (isArray(type_))
        return failure(ErrorCode::Unsupported, "entries of an array cannot be deleted; set them to 0");
    if (::bpf_map_delete_elem(map_, key.data()) < 0)
        return refused("delete a map entry", errno);
    return {};
}

// Filters may change the map meanwhile: what is gone by then is left out, and the walk is bounded.
Result<std::vector<std::pair<Bytes, MapEntries::Values>>> MapEntries::dump() const {
    std::vector<std::pair<Bytes, Values>> result;
    Bytes key(keySize_);
    const void* previous = nullptr;
    for (std::size_t steps = 0; steps < maxEntries_ * 2 + 1; ++steps) {
        Bytes next(keySize_);
        if (::bpf_map_get_next_key(map_, previous, next.data()) < 0) {
            if (errno == ENOENT)
                return result;
            return failure(systemError("walk a map", errno));
        }
        key = std::move(next);
        previous = key.data();
        auto values = lookup(key);
        if (values)
            result.emplace_back(key, std::move(*values));
        else if (values.error().code != ErrorCode::NoSuchEntry)
            return failure(values.error());
    }
    return result;
}

Status MapEntries::replaceAll(const std::vector<std::pair<Bytes, Values>>& before,
                              const Entries& entries) const {
    std::set<Bytes> wanted;
    for (const auto& [key, value] : entries)
        wanted.insert(key);
    std::vector<const Bytes*> surplus;
    for (const auto& [key, values] : before)
        if (!wanted.contains(key))
            surplus.push_back(&key);
    const auto dropSurplus = [&]() -> Status {
        for (const auto* key : std::exchange(surplus, {}))
            if (auto removed = remove(*key); !removed && removed.error().code != ErrorCode::NoSuchEntry)
                return removed;
        return {};
    };
    for (const auto& [key, value] : entries) {
        auto updated = update(key, value);
        if (!updated && updated.error().code == ErrorCode::LimitExceeded && !surplus.empty()) {
            if (auto dropped = dropSurplus(); !dropped) // room for old and new at once there is not
                return dropped;
            updated = update(key, value);
        }
        if (!updated)
            return updated;
    }
    return dropSurplus();
}

Status MapEntries::replace(const Entries& entries) const {
    if (!canBeReplaced(type_))
        return failure(notReplaceable());
    const auto before = dump();
    if (!before)
        return failure(before.error());
    auto replaced = replaceAll(*before, entries);
    if (replaced)
        return {};
    Entries old;
    for (const auto& [key, values] : *before)
        old.emplace_back(key, values.front());
    if (const auto now = dump())
        (void)replaceAll(*now, old);
    return replaced;
}

} // namespace filterd::bpf
