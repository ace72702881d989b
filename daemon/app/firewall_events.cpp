// What the firewall is told: units and clients that come and go, holds, releases, the switch.

#include "app/firewall.hpp"
#include "base/log.hpp"

namespace filterd {

void Firewall::cgroupAppeared(const UnitCgroup& unit) {
    log::debug("the cgroup of " + unit.unit + " is there",
               {log::unit(unit.unit), log::cgroup(unit.cgroup.id.value)});
    reconciler_.cgroupAppeared(unit);
    if (const auto* rule = rules_.match({unit.unit, unit.cgroup.path}))
        tellReferences(*rule);
}

std::optional<std::string> Firewall::cgroupVanished(CgroupId id) {
    const auto unit = reconciler_.cgroupVanished(id);
    if (!unit)
        return std::nullopt;
    log::debug("the cgroup of " + unit->unit + " is gone", {log::unit(unit->unit), log::cgroup(id.value)});
    if (const auto* rule = rules_.match({unit->unit, unit->cgroup.path}))
        tellReferences(*rule);
    if (userOfManager(unit->unit) && reviewUsers()) {
        reconciler_.reconcileAll();
        publisher_.countsChanged();
        finish();
    }
    if (reconciler_.exists(unit->unit) || !holdsReferences(unit->unit))
        return std::nullopt;
    return unit->unit;
}

bool Firewall::holdsReferences(const std::string& unit) const {
    return references_.all().contains({Holder::Kind::Unit, unit});
}

std::vector<std::string> Firewall::holdersWithoutCgroup() const {
    std::vector<std::string> units;
    for (const auto& [holder, counts] : references_.all())
        if (holder.kind == Holder::Kind::Unit && !reconciler_.exists(holder.name))
            units.push_back(holder.name);
    return units;
}

void Firewall::clientLeft(const std::string& client) { dropHolder({Holder::Kind::Client, client}); }

void Firewall::dropHolder(const Holder& holder) {
    const auto dropped = references_.drop(holder);
    if (dropped.empty())
        return;
    finish();
    for (const auto& name : dropped)
        if (facts_.contains(name))
            publisher_.filterChanged(name);
}

void Firewall::unitEnded(const std::string& unit) {
    if (!reconciler_.exists(unit)) // else it runs again, or it is not over yet
        dropHolder({Holder::Kind::Unit, unit});
}

// A unit may ask before its cgroup was told of.
bool Firewall::findUnit(const std::string& name) {
    if (reconciler_.exists(name))
        return true;
    for (const auto& unit : tree_.units())
        if (unit.unit == name)
            cgroupAppeared(unit);
    return reconciler_.exists(name);
}

Status Firewall::rescan() {
    auto filters = reconciler_.observe();
    if (!filters)
        return failure(filters.error());
    saved_.clear(); // its pin may be gone, too
    reconciler_.reconcileAll();
    finish();
    return {};
}

void Firewall::forgetLost(const FilterName& name) {
    log::warning("the pin of filter " + name.text() +
                     " was removed, which unloads it: if a file defines it, it is loaded again, otherwise "
                     "load it again",
                 {log::filter(name.text())});
    facts_.erase(name);
    loaded_.erase(name);
    references_.forget(name);
    definitions_.unmark(name);
    publisher_.filterVanished(name);
    publisher_.countsChanged();
}

// The kernel is the truth (I5).
Status Firewall::lookAtPins() {
    const auto pinned = reconciler_.observePins();
    if (!pinned)
        return failure(pinned.error());
    std::set<FilterName> lost;
    for (const auto& [name, facts] : facts_)
        lost.insert(name);
    for (const auto& facts : *pinned) {
        lost.erase(facts.instance.name);
        know(facts);
    }
    for (const auto& name : lost)
        forgetLost(name);
    return {};
}

Status Firewall::pinsRemoved() {
    if (auto seen = lookAtPins(); !seen)
        return seen;
    saved_.clear(); // its pin may be gone, too
    loadNeeded();
    refreshReferenced();
    reconciler_.reconcileAll();
    finish();
    return {};
}

Status Firewall::setEnforcing(bool enforcing) {
    reconciler_.setEnforcing(enforcing);
    log::warning(enforcing ? "enforcing again" : "switched off: nothing is filtered until filterctl on",
                 {log::id(enforcing ? log::Message::SwitchedOn : log::Message::SwitchedOff)});
    publisher_.countsChanged();
    return rescan();
}

void Firewall::guardNews() {
    const auto news = guard().port()->takeNews();
    if (news.held)
        reconciler_.attendHolds();
    if (reconciler_.collectReleased(news.released))
        finish();
}

bool Firewall::collectReleased() {
    const bool more = reconciler_.collectReleased();
    finish();
    return more;
}

std::vector<std::pair<Direction, QueueCounters>> Firewall::readableCounters(const UnitView& unit) {
    std::vector<std::pair<Direction, QueueCounters>> result;
    for (const auto direction : kDirections)
        if (unit.queues[indexOf(direction)])
            if (auto counted = kernel_.counters({unit.cgroup.id, direction}))
                result.emplace_back(direction, std::move(*counted));
    return result;
}

Result<std::vector<std::pair<Direction, QueueCounters>>> Firewall::counters(const std::string& unit) {
    const auto* view = reconciler_.find(unit);
    if (view == nullptr)
        return failure(ErrorCode::NoSuchUnit, "no rule covers a running unit '" + unit + "'");
    std::vector<std::pair<Direction, QueueCounters>> result;
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
