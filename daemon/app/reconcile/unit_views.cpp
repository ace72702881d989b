// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/unit_views.hpp"

#include <algorithm>
#include <utility>

namespace filterd {

void UnitViews::publish(UnitView view) {
    const auto known = views_.find(view.name);
    if (known == views_.end()) {
        auto name = view.name;
        observer_.unitAppeared(views_.emplace(std::move(name), std::move(view)).first->second);
        observer_.countsChanged();
    } else if (known->second != view) {
        const auto before = std::exchange(known->second, std::move(view));
        observer_.unitChanged(before, known->second);
    }
}

void UnitViews::withdraw(const std::string& name) {
    if (views_.erase(name) == 0)
        return;
    observer_.unitVanished(name);
    observer_.countsChanged();
}

const UnitView* UnitViews::find(const std::string& unit) const {
    const auto found = views_.find(unit);
    return found == views_.end() ? nullptr : &found->second;
}

std::vector<std::string> UnitViews::unitsRunning(const FilterName& filter) const {
    std::vector<std::string> names;
    for (const auto& [name, view] : views_)
        for (const auto& filters : view.filters)
            if (std::find(filters.begin(), filters.end(), filter.text()) != filters.end()) {
                names.push_back(name);
                break;
            }
    return names;
}

} // namespace filterd
