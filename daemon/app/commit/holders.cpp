// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/commit/holders.hpp"

namespace filterd {

void Holders::busJoined(const std::string& guid, const std::set<std::string>& clients) {
    auto next = inForce_.intent();
    for (const auto& [holder, counts] : inForce_.intent().references.all())
        if (holder.kind == Holder::Kind::Client && (guid != next.busGuid || !clients.contains(holder.name)))
            next.references.drop(holder);
    next.busGuid = guid;
    static_cast<void>(inForce_.commit(std::move(next), Extent::Books));
}

void Holders::drop(const Holder& holder) {
    auto next = inForce_.intent();
    const auto dropped = next.references.drop(holder);
    if (dropped.empty())
        return;
    static_cast<void>(inForce_.commit(std::move(next), Extent::Books));
    for (const auto& name : dropped)
        if (inForce_.filters().contains(name))
            inForce_.observers().filterChanged(name);
}

void Holders::unitEnded(const std::string& unit) {
    if (!inForce_.reconciler().present().hasCgroup(unit)) // else it runs again, or it is not over yet
        drop({Holder::Kind::Unit, unit});
}

std::vector<std::string> Holders::clients() const {
    std::vector<std::string> names;
    for (const auto& [holder, counts] : inForce_.intent().references.all())
        if (holder.kind == Holder::Kind::Client)
            names.push_back(holder.name);
    return names;
}

std::size_t Holders::count(const std::vector<Holder>& holders) const {
    const auto& all = inForce_.intent().references.all();
    std::size_t count = 0;
    for (const auto& holder : holders)
        if (const auto held = all.find(holder); held != all.end())
            for (const auto& [filter, times] : held->second)
                count += times;
    return count;
}

bool Holders::holdsReferences(const std::string& unit) const {
    return inForce_.intent().references.all().contains({Holder::Kind::Unit, unit});
}

std::vector<std::string> Holders::withoutCgroup() const {
    std::vector<std::string> units;
    for (const auto& [holder, counts] : inForce_.intent().references.all())
        if (holder.kind == Holder::Kind::Unit && !inForce_.reconciler().present().hasCgroup(holder.name))
            units.push_back(holder.name);
    return units;
}

} // namespace filterd
