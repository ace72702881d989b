// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/filters/filters.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "core/ebpf/builtin.hpp"

#include <algorithm>

namespace filterd {

namespace {

void addReference(Intent& intent, const LoadRequest& request) {
    if (request.transient)
        intent.references.acquire({Holder::Kind::Client, request.client}, request.name);
    else if (!intent.references.holds(Holder::keep(), request.name))
        intent.references.acquire(Holder::keep(), request.name);
}

// What rules mean by builtin:drop needs no file, and is the same on every machine.
Status checkBuiltinName(const LoadRequest& request) {
    const auto& name = request.name.text();
    const auto* own = std::get_if<BuiltinFilter>(&request.content);
    if (!name.starts_with(kBuiltinPrefix) ||
        (own != nullptr && name.substr(kBuiltinPrefix.size()) == own->name))
        return {};
    return failure(ErrorCode::InvalidName,
                   "'" + name +
                       "' is a name of filterd's own filters: load other content under another name");
}

} // namespace

// ---- loading --------------------------------------------------------------------------------------------

Status Filters::load(const LoadRequest& request) {
    if (auto usable = checkBuiltinName(request); !usable)
        return usable;
    const auto known = all().find(request.name);
    if (known == all().end())
        return loadNew(request);
    if (isSame(known->second, request)) {
        takeReference(request);
        return {};
    }
    if (request.replace)
        return replace(request);
    return failure(ErrorCode::FilterNameTaken, "other content is loaded as '" + request.name.text() +
                                                   "'; choose another name, or ask for it to be replaced");
}

void Filters::takeReference(const LoadRequest& request) {
    auto next = inForce_.intent();
    addReference(next, request);
    static_cast<void>(inForce_.commit(std::move(next), Extent::Books));
    inForce_.observers().filterChanged(request.name);
}

// Rules may have waited for it.
Status Filters::loadNew(const LoadRequest& request) {
    const auto loaded = loadInstance(inForce_, request);
    if (!loaded)
        return failure(loaded.error());
    if (auto pinned = inForce_.pin(*loaded); !pinned)
        return pinned;
    auto next = inForce_.intent();
    next.filters.insert_or_assign(request.name, *loaded);
    next.definitions.clearFailure(request.name);
    addReference(next, request);
    return inForce_.commit(std::move(next), Extent::Possible);
}

// New instance in every queue that holds the old one, or everything as before (I2). The content is the
// caller's from now on, whatever a file says.
Status Filters::replace(const LoadRequest& request) {
    auto loaded = loadInstance(inForce_, request);
    if (!loaded)
        return failure(loaded.error());
    auto next = inForce_.intent();
    next.filters.insert_or_assign(request.name, std::move(*loaded));
    next.definitions.unmark(request.name);
    addReference(next, request);
    if (auto checked = checkDirections(next, {request.name}); !checked) {
        inForce_.discard(std::move(next));
        return checked;
    }
    return inForce_.commit(std::move(next), Extent::Whole);
}

// ---- references -----------------------------------------------------------------------------------------

std::vector<std::string> Filters::otherHolders(const FilterName& name) const {
    std::vector<std::string> holders;
    const auto known = view(name);
    for (const auto& [kind, holder] : known->references)
        if (kind != toString(Holder::Kind::Keep))
            holders.push_back(std::string(kind).append(" ").append(holder));
    return holders;
}

Status Filters::unload(const FilterName& name) {
    if (auto loaded = facts(name); !loaded)
        return failure(loaded.error());
    const auto holders = otherHolders(name);
    if (!holders.empty() && files_.isDisplaced(name)) // they get what its file defines
        return files_.putBack(name);
    if (!holders.empty())
        return failure(ErrorCode::FilterInUse,
                       "filter '" + name.text() + "' is in use by " + joined(holders, ", "));
    auto next = inForce_.intent();
    next.references.release(Holder::keep(), name);
    return inForce_.commit(std::move(next), Extent::Books);
}

Status Filters::acquire(const Holder& holder, const FilterName& name) {
    if (!all().contains(name) && !inForce_.intent().definitions.defines(name))
        return failure(files_.undefined(name));
    if (holder.kind == Holder::Kind::Unit && !units_.seek(holder.name))
        return failure(ErrorCode::NoSuchUnit, "unit '" + holder.name + "' has no cgroup; start it first");
    auto next = inForce_.intent();
    if (auto loaded = files_.loadDefined(next, name); !loaded)
        return loaded;
    // A unit needs it or does not: what it took before it was restarted may still be there.
    if (holder.kind != Holder::Kind::Unit || !next.references.holds(holder, name))
        next.references.acquire(holder, name);
    auto done = inForce_.commit(std::move(next), Extent::Books);
    inForce_.observers().filterChanged(name);
    return done;
}

Status Filters::release(const Holder& holder, const FilterName& name) {
    if (auto loaded = facts(name); !loaded)
        return failure(loaded.error());
    auto next = inForce_.intent();
    if (!next.references.release(holder, name))
        return failure(ErrorCode::NoSuchReference, std::string(toString(holder.kind)) + " " + holder.name +
                                                       " holds no reference to filter '" + name.text() + "'");
    inForce_.observers().filterChanged(name);
    return inForce_.commit(std::move(next), Extent::Books);
}

// ---- what is known --------------------------------------------------------------------------------------

Result<const FilterFacts*> Filters::facts(const FilterName& name) const {
    const auto found = all().find(name);
    if (found == all().end())
        return failure(ErrorCode::NoSuchFilter, "no filter '" + name.text() + "' is loaded; load it first");
    return &found->second;
}

Result<FilterView> Filters::view(const FilterName& name) const {
    const auto known = facts(name);
    if (!known)
        return failure(known.error());
    const auto& intent = inForce_.intent();
    FilterView view{**known, {}};
    for (const auto& holder : intent.references.of(name))
        view.references.emplace_back(toString(holder.kind), holder.name);
    const auto names = [&](const std::vector<FilterName>& list) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    if (const auto& kept = intent.definitions.loadedAtOnce(); kept.contains(name))
        view.references.emplace_back("file", kept.at(name));
    for (const auto* rule : intent.rules->ordered())
        if (names(rule->ingress) || names(rule->egress))
            view.references.emplace_back("rule", rule->source == kBusSource
                                                     ? rule->source + ":" + rule->targets.front()
                                                     : rule->source);
    for (const auto& target : intent.trials.needing(name))
        view.references.emplace_back("trial", target);
    for (const auto& unit : inForce_.reconciler().views().unitsRunning(name))
        view.references.emplace_back("attachment", unit);
    return view;
}

Result<PacketRulesView> Filters::packetRules(const FilterName& name) const {
    const auto known = facts(name);
    if (!known)
        return failure(known.error());
    const auto& filter = **known;
    if (!filter.rules)
        return failure(ErrorCode::Unsupported,
                       "filter '" + name.text() + "' has no rules: it was loaded from an object");
    const auto counters = kernel_.ruleCounters(filter.instance);
    if (!counters)
        return failure(counters.error());
    PacketRulesView view{
        filter.rules->rules, {}, counters->at(packet::kByDefault), counters->at(packet::kByUnparsable)};
    for (const std::uint32_t counter : filter.rules->counters)
        view.counters.push_back(counters->at(counter));
    return view;
}

} // namespace filterd
