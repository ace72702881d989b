// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/commit/units.hpp"

#include "base/log.hpp"

namespace filterd {

void Units::tellFiltersFor(const UnitCgroup& unit) {
    if (const auto* rule = inForce_.reconciler().resolution().ruleFor(unit))
        inForce_.tellFiltersOf(*rule);
}

void Units::appeared(const UnitCgroup& unit) {
    log::debug("the cgroup of " + unit.unit + " is there",
               {log::unit(unit.unit), log::cgroup(unit.cgroup.id.value)});
    inForce_.reconciler().cgroupAppeared(unit);
    tellFiltersFor(unit);
}

std::optional<std::string> Units::vanished(CgroupId cgroup) {
    const auto unit = inForce_.reconciler().cgroupVanished(cgroup);
    if (!unit)
        return std::nullopt;
    log::debug("the cgroup of " + unit->unit + " is gone",
               {log::unit(unit->unit), log::cgroup(cgroup.value)});
    tellFiltersFor(*unit);
    if (userOfManager(unit->unit))
        reviewUsers();
    const bool isHolder = inForce_.intent().references.all().contains({Holder::Kind::Unit, unit->unit});
    if (!isHolder || inForce_.reconciler().present().hasCgroup(unit->unit))
        return std::nullopt;
    return unit->unit;
}

std::optional<std::string> Units::missed(const std::string& path) {
    std::optional<std::string> holder;
    for (const auto id : inForce_.reconciler().present().at(path))
        if (!tree_.find(id))
            holder = vanished(id);
    return holder;
}

// Ends what users have set once their account is gone.
void Units::reviewUsers() {
    auto next = inForce_.intent();
    if (reviewUserRules(next, userExists_))
        static_cast<void>(inForce_.commit(std::move(next), Extent::Possible));
}

bool Units::seek(const std::string& unit) {
    const auto& present = inForce_.reconciler().present();
    if (present.hasCgroup(unit))
        return true;
    for (const auto& found : tree_.units())
        if (found.unit == unit)
            appeared(found);
    return present.hasCgroup(unit);
}

// ---- names ----------------------------------------------------------------------------------------------

bool Units::covers(const std::string& unit) const {
    return inForce_.intent().rules->match({unit, {}}) != nullptr;
}

std::string Units::primaryName(const std::string& unit) const {
    return filterd::primaryName(inForce_.intent(), unit);
}

std::string Units::seenPath(const std::string& target) const {
    if (target.starts_with('/')) {
        auto cgroup = tree_.find(target); // it may be gone
        return cgroup ? cgroup->path : cgroupPath(target);
    }
    return primaryName(target);
}

Result<std::string> Units::nameForDrops(const std::string& unit) const {
    if (!isAnyUnitName(unit) && !unit.starts_with('/'))
        return failure(ErrorCode::InvalidName, "'" + unit +
                                                   "' is neither a unit name with its suffix "
                                                   "(nginx.service, user@1000.service/app.service) nor an "
                                                   "absolute cgroup path");
    return seenPath(unit);
}

Result<const UnitView*> Units::guarded(const std::string& nameOrPath) const {
    const auto seen = seenPath(nameOrPath);
    const bool isPath = seen.starts_with('/');
    const auto name = isPath ? unitOfCgroupPath(seen) : seen;
    if (const auto* view = find(name.empty() ? seen : name);
        view != nullptr && (!isPath || view->cgroup.path == seen))
        return view;
    const std::string quoted = "'" + nameOrPath + "'";
    if (!inForce_.reconciler().enforcing())
        return failure(ErrorCode::NoSuchUnit,
                       "everything is switched off, and " + quoted + " with it, until 'filterctl on'");
    if (inForce_.intent().rules->match({name, isPath ? seen : std::string()}) != nullptr)
        return failure(
            ErrorCode::NoSuchUnit,
            quoted + " has no cgroup, it does not run; the rule that covers it counts from its start on");
    return failure(ErrorCode::NoSuchUnit, "no rule covers " + quoted);
}

// ---- counters -------------------------------------------------------------------------------------------

CountersByDirection Units::readableCounters(const UnitView& unit) const {
    CountersByDirection result;
    for (const auto direction : kDirections)
        if (unit.queues[indexOf(direction)])
            if (auto counted = kernel_.counters({unit.cgroup.id, direction}))
                result.emplace_back(direction, std::move(*counted));
    return result;
}

Result<CountersByDirection> Units::counters(const std::string& unit) const {
    const auto* view = find(unit);
    if (view == nullptr)
        return failure(ErrorCode::NoSuchUnit, "no rule covers a running unit '" + unit + "'");
    CountersByDirection result;
    for (const auto direction : kDirections) {
        if (!view->queues[indexOf(direction)])
            continue;
        auto counted = kernel_.counters({view->cgroup.id, direction});
        if (!counted)
            return failure(counted.error());
        result.emplace_back(direction, std::move(*counted));
    }
    return result;
}

} // namespace filterd
