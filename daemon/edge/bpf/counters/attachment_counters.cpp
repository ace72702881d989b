// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/counters/attachment_counters.hpp"

#include "base/log.hpp"
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace filterd::bpf {

namespace {

constexpr MapShape kCountersShape{BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, sizeof(bpf_cgroup_storage_key),
                                  kCounterSlots * sizeof(SlotCount), 0};

constexpr std::size_t kNameSize = 136; // the longest filter name, what is before it, and its end
using StoredName = std::array<char, kNameSize>;
constexpr MapShape kSlotsShape{BPF_MAP_TYPE_ARRAY, sizeof(std::uint32_t), sizeof(StoredName),
                               kLastFilterSlot + 1};

// Before the name in a slot of what only logs: no filter's name has it.
constexpr char kLogs = '~';

std::string_view filterIn(std::string_view slot) { return slot.substr(slot.starts_with(kLogs) ? 1 : 0); }

bool hasShape(int map, const MapShape& shape) {
    const auto info = mapInfo(map);
    return info && info->type == shape.type && info->key_size == shape.keySize &&
           info->value_size == shape.valueSize && info->max_entries == shape.entries;
}

// What is pinned under another layout is of another version of filterd: its links keep it.
Result<UniqueFd> openOrMake(const std::filesystem::path& path, const char* name, const MapShape& shape) {
    if (auto pinned = openPin(path); pinned && hasShape(pinned->get(), shape))
        return pinned;
    auto map = createMap(name, shape);
    if (!map)
        return map;
    if (auto pinned = replacePin(map->get(), path); !pinned)
        return failure(pinned.error());
    return map;
}

// One attachment's slots for every possible CPU.
class PerCpuSlots {
  public:
    PerCpuSlots()
        : cpus_(static_cast<std::size_t>(std::max(1, ::libbpf_num_possible_cpus()))),
          slots_(cpus_ * kCounterSlots) {}

    [[nodiscard]] void* data() { return slots_.data(); }
    [[nodiscard]] SlotCount sum(std::uint32_t slot) const {
        SlotCount total;
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
            total.packets += slots_[cpu * kCounterSlots + slot].packets;
            total.bytes += slots_[cpu * kCounterSlots + slot].bytes;
        }
        return total;
    }
    void clear(std::uint32_t slot) {
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu)
            slots_[cpu * kCounterSlots + slot] = {};
    }

  private:
    std::size_t cpus_;
    std::vector<SlotCount> slots_;
};

} // namespace

Status AttachmentCounters::open() {
    if (counters_ && slots_)
        return {};
    if (auto opened = openCounters(); !opened)
        return opened;
    return openSlots();
}

Status AttachmentCounters::openCounters() {
    auto map = openOrMake(pins_.root / "counters", "filterd_count", kCountersShape);
    if (!map)
        return failure(map.error());
    const auto info = mapInfo(map->get());
    if (!info)
        return failure(info.error());
    counters_ = std::move(*map);
    countersId_ = info->id;
    return {};
}

Status AttachmentCounters::openSlots() {
    auto map = openOrMake(pins_.root / "slots", "filterd_slots", kSlotsShape);
    if (!map)
        return failure(map.error());
    slots_ = std::move(*map);
    std::array<std::uint32_t, kSlots> slots{};
    std::vector<StoredName> stored(kSlots);
    __u32 count = kSlots;
    std::uint32_t next = 0;
    if (::bpf_map_lookup_batch(slots_.get(), nullptr, &next, slots.data(), stored.data(), &count, nullptr) <
            0 &&
        errno != ENOENT) // the end
        return failure(systemError("read the counters' slots", errno));
    for (std::uint32_t i = 0; i < count; ++i) {
        stored[i].back() = '\0';
        names_[slots[i]] = stored[i].data();
    }
    return {};
}

Result<std::uint32_t> AttachmentCounters::slotOf(const FilterName& name, bool logs,
                                                 const std::function<bool(const std::string&)>& inUse) {
    const auto wanted = (logs ? std::string(1, kLogs) : std::string()) + name.text();
    std::uint32_t unused = 0;
    std::uint32_t abandoned = 0;
    for (std::uint32_t slot = kLastFilterSlot; slot >= kFirstFilterSlot; --slot) {
        if (names_[slot] == wanted)
            return slot;
        if (names_[slot].empty())
            unused = slot;
        else if (!inUse(std::string(filterIn(names_[slot]))))
            abandoned = slot;
    }
    const std::uint32_t chosen = unused != 0 ? unused : abandoned;
    if (chosen == 0)
        return 0U;
    if (chosen == abandoned)
        if (auto zeroed = zeroSlotEverywhere(chosen); !zeroed)
            return failure(zeroed.error());
    if (auto assigned = assign(chosen, wanted); !assigned)
        return failure(assigned.error());
    return chosen;
}

Status AttachmentCounters::assign(std::uint32_t slot, const std::string& name) {
    StoredName stored{};
    std::copy_n(name.begin(), std::min(name.size(), stored.size() - 1), stored.begin());
    if (auto written = updateElement(slots_.get(), &slot, stored.data()); !written)
        return failure(written.error().context("give filter '" + name + "' a counter"));
    names_[slot] = name;
    return {};
}

// A packet counted meanwhile may be lost from the other slots of its attachment: rare, and only a count.
Status AttachmentCounters::zeroSlotEverywhere(std::uint32_t slot) {
    bpf_cgroup_storage_key key{};
    PerCpuSlots counts;
    for (const bpf_cgroup_storage_key* previous = nullptr;; previous = &key) {
        if (::bpf_map_get_next_key(counters_.get(), previous, &key) < 0)
            return errno == ENOENT ? Status{} : failure(systemError("read the counters", errno));
        if (::bpf_map_lookup_elem(counters_.get(), &key, counts.data()) < 0)
            continue; // released meanwhile
        counts.clear(slot);
        if (auto written = updateElement(counters_.get(), &key, counts.data()); !written)
            log::debug("counters of a cgroup that has just gone: " + written.error().message);
    }
}

Result<QueueCounters> AttachmentCounters::read(AttachPoint point) const {
    bpf_cgroup_storage_key key{};
    key.cgroup_inode_id = point.cgroup.value;
    key.attach_type = attachTypeOf(point.direction);
    PerCpuSlots counts;
    if (::bpf_map_lookup_elem(counters_.get(), &key, counts.data()) < 0) {
        if (errno == ENOENT)
            return failure(ErrorCode::NoSuchCgroup, "nothing is counted for this cgroup");
        return failure(systemError("read the counters", errno));
    }
    const SlotCount passed = counts.sum(kPassedSlot);
    const SlotCount held = counts.sum(kHeldSlot);
    QueueCounters result{.passed = passed.packets,
                         .held = held.packets,
                         .passedBytes = passed.bytes,
                         .heldBytes = held.bytes,
                         .dropped = {}};
    for (std::uint32_t slot = kFirstFilterSlot; slot <= kLastFilterSlot; ++slot)
        if (const SlotCount drops = counts.sum(slot); drops.packets != 0)
            if (auto name = FilterName::parse(filterIn(names_[slot])))
                result.dropped.push_back(
                    {std::move(*name), drops.packets, drops.bytes, names_[slot].starts_with(kLogs)});
    return result;
}

} // namespace filterd::bpf
