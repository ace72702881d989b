// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/commit/enforcement.hpp"

#include "app/commit/recovery.hpp"
#include "base/log.hpp"

namespace filterd {

namespace {

// The names that stand for another instance in `next`.
std::vector<LoadedFilter> replacedIn(const Intent& next, const Intent& before) {
    std::vector<LoadedFilter> replaced;
    for (const auto& [name, filter] : next.filters)
        if (const auto old = before.filters.find(name);
            old != before.filters.end() && old->second.instance != filter.instance)
            replaced.push_back(filter);
    return replaced;
}

} // namespace

// ---- the start ------------------------------------------------------------------------------------------

// An empty store is a first start only if nothing of ours is in the kernel.
Status Enforcement::adopt(const std::vector<Rule>& files, bool enforcing) {
    const auto found = reconciler_.observe();
    if (!found)
        return failure(found.error());
    LoadedFilters loaded;
    for (const auto& facts : *found)
        loaded.insert_or_assign(facts.instance.name, instances_.note(facts));
    const auto& queues = reconciler_.queues();
    auto restored = state_.restore(loaded, loaded.empty() && queues.observed().attachments().empty());
    intent_ =
        restored ? std::move(*restored) : recoverIntent(loaded, queues.inForce(), files, restored.error());
    reconciler_.setEnforcing(enforcing);
    instances_.show(intent_.filters);
    for (const auto& [name, facts] : filters())
        observers_.filterAppeared(name);
    return {};
}

// ---- one change -----------------------------------------------------------------------------------------

Status Enforcement::commit(Intent next, Extent extent) { return commit(std::move(next), extent, {}); }

Status Enforcement::commitOfUser(Intent next, const std::string& unit) {
    return commit(std::move(next), Extent::Whole, unit);
}

Status Enforcement::commit(Intent next, Extent extent, const std::string& bound) {
    if (auto done = bring(next, extent, bound); !done) {
        next = Intent(); // with what it alone has loaded
        goBack();
        settle();
        return done;
    }
    accept(std::move(next), extent);
    settle();
    return {};
}

// Where the kernel waits, nothing was touched yet. Else it must not: there is no other way back.
void Enforcement::goBack() {
    if (kernel_.isWaiting())
        return;
    kernel_.hurry();
    if (auto back = reconciler_.reconcileAll(intent_, Reconciler::Refused::Stay); !back)
        log::error(back.error());
    kernel_.hurryNoMore();
}

void Enforcement::discard(Intent next) {
    next = Intent();
    settle();
}

// The pins change last: until then a restart finds the old instances under the names and goes back to them.
Status Enforcement::bring(const Intent& next, Extent extent, const std::string& bound) {
    if (extent == Extent::Whole) {
        if (auto done = reconciler_.tryReconcileAll(next, bound); !done)
            return done;
    } else if (extent != Extent::Books) {
        const auto refused =
            extent == Extent::Back ? Reconciler::Refused::Stay : Reconciler::Refused::TryAgain;
        if (auto done = reconciler_.reconcileAll(next, refused); !done)
            return done;
    }
    return pinReplaced(next);
}

Status Enforcement::pinReplaced(const Intent& next) {
    for (const auto& filter : replacedIn(next, intent_)) {
        const auto pinned = kernel_.publishFilter(filter.instance);
        if (!pinned) {
            takeBackPins(next);
            return failure(pinned.error());
        }
        static_cast<void>(instances_.note(*pinned));
    }
    return {};
}

void Enforcement::takeBackPins(const Intent& next) {
    for (const auto& filter : replacedIn(intent_, next))
        if (auto pinned = kernel_.publishFilter(filter.instance); !pinned)
            log::error(pinned.error());
}

void Enforcement::accept(Intent next, Extent extent) {
    std::vector<FilterName> added;
    for (const auto& [name, filter] : next.filters)
        if (!intent_.filters.contains(name))
            added.push_back(name);
    const auto replaced = replacedIn(next, intent_);
    const bool areCountsOld =
        extent != Extent::Books || !added.empty() || next.trials.all() != intent_.trials.all();
    intent_ = std::move(next);
    instances_.show(intent_.filters);
    for (const auto& name : added) {
        log::info("loaded filter " + name.text(),
                  {log::id(log::Message::FilterLoaded), log::filter(name.text())});
        observers_.filterAppeared(name);
    }
    for (const auto& filter : replaced) {
        const auto& name = filter.instance.name;
        log::info("replaced filter " + name.text(),
                  {log::id(log::Message::FilterReplaced), log::filter(name.text())});
        observers_.filterChanged(name);
    }
    if (areCountsOld)
        observers_.countsChanged();
}

void Enforcement::tellFiltersOf(const Rule& rule) {
    for (const auto direction : kDirections)
        for (const auto& name : rule.filters(direction))
            if (filters().contains(name))
                observers_.filterChanged(name);
}

void Enforcement::settle() {
    if (auto* left = kernel_.isWaiting() ? nullptr : kernel_.left(kLoadedFilters))
        left->reset(); // the attempt is the last one
    reconciler_.collectReleased();
    auto names = heldFilters(intent_);
    names.merge(filtersOfRules(*intent_.rules));
    names.merge(reconciler_.queues().attachedFilters());
    reconciler_.collect(instances_.needed(intent_.filters, names));
    forgetMissing(Gone::Unneeded);
    save();
}

void Enforcement::save() {
    if (state_.save(intent_))
        observers_.countsChanged();
}

// What an intent names and is not in the kernel any more is over for that intent, too.
void Enforcement::forgetMissing(Gone why) {
    for (const auto& instance : instances_.missing(reconciler_.queues().observed().filters())) {
        const auto& name = instance.name;
        const auto own = intent_.filters.find(name);
        instances_.forget(instance);
        if (own == intent_.filters.end() || own->second.instance != instance)
            continue;
        if (why == Gone::Unneeded)
            log::info("unloaded filter " + name.text(),
                      {log::id(log::Message::FilterUnloaded), log::filter(name.text())});
        else
            log::warning("the pin of filter " + name.text() +
                             " was removed, which unloads it: if a file defines it, it is loaded again, "
                             "otherwise load it again",
                         {log::filter(name.text())});
        forgetFilter(intent_, name);
        instances_.show(intent_.filters);
        observers_.filterVanished(name);
        observers_.countsChanged();
    }
}

// ---- filters --------------------------------------------------------------------------------------------

Result<LoadedFilter> Enforcement::load(const ObjectRequest& request, const std::string& digest) {
    const auto loaded = kernel_.loadFilter(request, digest);
    if (!loaded)
        return failure(loaded.error());
    observers_.filterLoaded(*loaded);
    reconciler_.queues().noteLoaded(loaded->instance);
    return instances_.note(*loaded);
}

Result<LoadedFilter> Enforcement::takePinned(const FilterName& name, const std::string& path) {
    const auto taken = kernel_.takePinned(name, path);
    if (!taken)
        return failure(taken.error());
    reconciler_.queues().noteLoaded(taken->instance);
    return instances_.note(*taken);
}

Status Enforcement::pin(const LoadedFilter& filter) {
    const auto pinned = kernel_.publishFilter(filter.instance);
    if (!pinned) {
        reconciler_.queues().unload(filter.instance);
        instances_.forget(filter.instance);
        return failure(pinned.error());
    }
    static_cast<void>(instances_.note(*pinned));
    return {};
}

// ---- what others have changed ---------------------------------------------------------------------------

Status Enforcement::lookAgain() {
    const auto filters = reconciler_.observe();
    if (!filters)
        return failure(filters.error());
    state_.distrust(); // its pin may be gone, too
    return {};
}

Status Enforcement::lookAtPins() {
    const auto pinned = reconciler_.observePins();
    if (!pinned)
        return failure(pinned.error());
    for (const auto& facts : *pinned)
        if (intent_.filters.contains(facts.instance.name) || !instances_.isLeased(facts.instance))
            intent_.filters.insert_or_assign(facts.instance.name, instances_.note(facts));
    instances_.show(intent_.filters);
    forgetMissing(Gone::Unpinned);
    return {};
}

} // namespace filterd
