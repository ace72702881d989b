// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/drops/drop_history.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::uint64_t kSlotLength = 30'000'000; // microseconds
constexpr std::uint64_t kSlotsOfSpan = 20;

constexpr std::uint64_t slotOf(std::uint64_t time) { return time / kSlotLength; }

} // namespace

bool DropHistory::isRest(const Key& key) { return std::get<2>(key).empty(); }

void DropHistory::Count::advance(std::uint64_t to) {
    if (to >= slot + kSlots)
        packets.fill(0);
    else
        for (auto next = slot + 1; next <= to; ++next)
            packets[next % kSlots] = 0;
    slot = std::max(slot, to);
}

// Reports of several processors come a little out of order.
void DropHistory::Count::add(std::uint64_t time) {
    const auto at = slotOf(time);
    advance(at);
    if (at + kSlots > slot)
        ++packets[at % kSlots];
    last = std::max(last, time);
}

void DropHistory::Count::take(const Count& other) {
    advance(other.slot);
    for (std::uint64_t age = 0; age < kSlots && age <= other.slot; ++age)
        if (const auto at = other.slot - age; at + kSlots > slot)
            packets[at % kSlots] += other.packets[at % kSlots];
    last = std::max(last, other.last);
}

std::uint64_t DropHistory::Count::since(std::uint64_t first) const {
    std::uint64_t sum = 0;
    for (std::uint64_t age = 0; age < kSlots && age <= slot && slot - age >= first; ++age)
        sum += packets[(slot - age) % kSlots];
    return sum;
}

void DropHistory::add(const Drop& drop) {
    auto unit = units_.find(drop.origin.unit);
    if (unit == units_.end()) {
        makeRoomForUnit();
        unit = units_.try_emplace(drop.origin.unit).first;
    }
    Key key{drop.direction, drop.origin.filter, drop.protocol,
            drop.source,    drop.destination,   drop.ports ? drop.ports->destination : std::uint16_t{0},
            drop.logOnly};
    auto& counts = unit->second.counts;
    if (!counts.contains(key))
        makeRoom(unit->second);
    counts[std::move(key)].add(drop.bootTime);
    unit->second.last = std::max(unit->second.last, drop.bootTime);
}

void DropHistory::makeRoom(Unit& unit) {
    while (unit.counts.size() >= kMaxSumsOfUnit) {
        const auto oldest =
            std::min_element(unit.counts.begin(), unit.counts.end(), [](const auto& left, const auto& right) {
                return std::pair(isRest(left.first), left.second.last) <
                       std::pair(isRest(right.first), right.second.last);
            });
        const auto [key, count] = *oldest;
        unit.counts.erase(oldest);
        if (isRest(key))
            continue; // so many filters
        unit.counts[{std::get<0>(key), std::get<1>(key), "", "", "", std::uint16_t{0}, std::get<6>(key)}]
            .take(count);
    }
}

void DropHistory::makeRoomForUnit() {
    if (units_.size() < kMaxUnits)
        return;
    units_.erase(std::min_element(units_.begin(), units_.end(), [](const auto& left, const auto& right) {
        return left.second.last < right.second.last;
    }));
}

std::vector<DropSum> DropHistory::sums(const std::string& unit, std::uint64_t now) const {
    std::vector<DropSum> sums;
    const auto found = units_.find(unit);
    if (found == units_.end())
        return sums;
    const auto first = slotOf(now) < kSlotsOfSpan ? 0 : slotOf(now) - kSlotsOfSpan;
    for (const auto& [key, count] : found->second.counts)
        if (const auto packets = count.since(first); packets > 0) {
            const auto& [direction, filter, protocol, source, destination, port, logOnly] = key;
            sums.push_back(
                {direction, filter, protocol, source, destination, port, packets, count.last, logOnly});
        }
    std::sort(sums.begin(), sums.end(),
              [](const DropSum& left, const DropSum& right) { return left.last > right.last; });
    return sums;
}

} // namespace filterd
