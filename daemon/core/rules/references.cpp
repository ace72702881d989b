// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/rules/references.hpp"

namespace filterd {

void References::acquire(const Holder& holder, const FilterName& filter, std::size_t count) {
    if (count == 0)
        return;
    byHolder_[holder][filter] += count;
    byFilter_[filter].insert(holder);
}

bool References::release(const Holder& holder, const FilterName& filter) {
    const auto held = byHolder_.find(holder);
    if (held == byHolder_.end())
        return false;
    const auto count = held->second.find(filter);
    if (count == held->second.end())
        return false;
    if (--count->second > 0)
        return true;
    held->second.erase(count);
    if (held->second.empty())
        byHolder_.erase(held);
    const auto holders = byFilter_.find(filter);
    holders->second.erase(holder);
    if (holders->second.empty())
        byFilter_.erase(holders);
    return true;
}

std::vector<FilterName> References::drop(const Holder& holder) {
    std::vector<FilterName> dropped;
    const auto held = byHolder_.find(holder);
    if (held == byHolder_.end())
        return dropped;
    for (const auto& [filter, count] : held->second) {
        dropped.push_back(filter);
        const auto holders = byFilter_.find(filter);
        holders->second.erase(holder);
        if (holders->second.empty())
            byFilter_.erase(holders);
    }
    byHolder_.erase(held);
    return dropped;
}

void References::forget(const FilterName& filter) {
    const auto holders = byFilter_.find(filter);
    if (holders == byFilter_.end())
        return;
    for (const auto& holder : holders->second) {
        const auto held = byHolder_.find(holder);
        held->second.erase(filter);
        if (held->second.empty())
            byHolder_.erase(held);
    }
    byFilter_.erase(holders);
}

bool References::holds(const Holder& holder, const FilterName& filter) const {
    const auto held = byHolder_.find(holder);
    return held != byHolder_.end() && held->second.contains(filter);
}

bool References::any(const FilterName& filter) const { return byFilter_.contains(filter); }

std::vector<Holder> References::of(const FilterName& filter) const {
    std::vector<Holder> holders;
    const auto found = byFilter_.find(filter);
    if (found == byFilter_.end())
        return holders;
    for (const auto& holder : found->second)
        holders.insert(holders.end(), byHolder_.at(holder).at(filter), holder);
    return holders;
}

} // namespace filterd
