// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/observer.hpp"

namespace filterd {

void Observers::filterLoaded(const FilterFacts& filter) {
    for (auto* observer : all_)
        observer->filterLoaded(filter);
}

void Observers::filterAppeared(const FilterName& name) {
    for (auto* observer : all_)
        observer->filterAppeared(name);
}

void Observers::filterChanged(const FilterName& name) {
    for (auto* observer : all_)
        observer->filterChanged(name);
}

void Observers::filterVanished(const FilterName& name) {
    for (auto* observer : all_)
        observer->filterVanished(name);
}

void Observers::unitAppeared(const UnitView& unit) {
    for (auto* observer : all_)
        observer->unitAppeared(unit);
}

void Observers::unitChanged(const UnitView& before, const UnitView& now) {
    for (auto* observer : all_)
        observer->unitChanged(before, now);
}

void Observers::unitVanished(const std::string& name) {
    for (auto* observer : all_)
        observer->unitVanished(name);
}

void Observers::countsChanged() {
    for (auto* observer : all_)
        observer->countsChanged();
}

void Observers::rulesSet(const std::string& target) {
    for (auto* observer : all_)
        observer->rulesSet(target);
}

void Observers::packetDropped(const Drop& drop) {
    for (auto* observer : all_)
        observer->packetDropped(drop);
}

} // namespace filterd
