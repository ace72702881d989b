// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Every call of Client, without waiting.

#include "client/async_calls.hpp"

#include <algorithm>
#include <climits>
#include <ctime>

namespace filterd::client {

namespace {

std::uint64_t monotonicMicroseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

} // namespace

AsyncClient::AsyncClient(const Client& client) : calls_(std::make_unique<AsyncCalls>(client.session_)) {}
AsyncClient::AsyncClient(AsyncClient&&) noexcept = default;
AsyncClient& AsyncClient::operator=(AsyncClient&&) noexcept = default;
AsyncClient::~AsyncClient() = default;

// ---- the loop -------------------------------------------------------------------------------------------

int AsyncClient::fd() const noexcept {
    return guarded([&] { return bus::nextWait(calls_->connection()).fd; }).value_or(-1);
}

short AsyncClient::events() const noexcept {
    return guarded([&] { return static_cast<short>(bus::nextWait(calls_->connection()).events); })
        .value_or(0);
}

int AsyncClient::timeout() const noexcept {
    if (calls_->hasWork())
        return 0;
    return guarded([&] {
               const auto until = bus::nextWait(calls_->connection()).until;
               const auto now = monotonicMicroseconds();
               if (until == UINT64_MAX)
                   return -1;
               return until <= now
                          ? 0
                          : static_cast<int>(std::min<std::uint64_t>((until - now + 999) / 1'000, INT_MAX));
           })
        .value_or(0);
}

Result<void> AsyncClient::process() noexcept {
    return guarded([&] { calls_->process(); });
}

Result<void> AsyncClient::follow(EventHandler handler) noexcept {
    return guarded([&] { calls_->follow(std::move(handler)); });
}

void AsyncClient::followDrops(const std::string& unit, DropHandler handler, const Callback<void>& done) {
    if (const auto begun = guarded([&] { calls_->followDrops(unit, std::move(handler), done); }); !begun)
        calls_->refuse(done, begun.error());
}

void AsyncClient::unfollowDrops(const Callback<void>& done) { calls_->unfollowDrops(done); }

// ---- filters --------------------------------------------------------------------------------------------

void AsyncClient::load(const std::string& name, const std::string& object, const LoadOptions& options,
                       const Callback<void>& done) {
    const auto file = guarded([&] { return objectFor(calls_->session()->passesFiles(), object); });
    if (!file)
        return calls_->refuse(done, file.error());
    calls_->tellManager<sdbus::ObjectPath>("LoadFilter", done, name, *file, busOptions(options, false));
}

void AsyncClient::loadFromPath(const std::string& name, const std::string& object, const LoadOptions& options,
                               const Callback<void>& done) {
    calls_->tellManager<sdbus::ObjectPath>("LoadFilterFromPath", done, name, object,
                                           busOptions(options, false));
}

void AsyncClient::loadTransient(const std::string& name, const std::string& object,
                                const LoadOptions& options, const Callback<Reference>& done) {
    const auto file = guarded([&] { return objectFor(calls_->session()->passesFiles(), object); });
    if (!file)
        return calls_->refuse(done, file.error());
    calls_->askManager<sdbus::ObjectPath>(
        "LoadFilter", done,
        [session = calls_->session(), name](const sdbus::ObjectPath&) { return Reference(session, name); },
        name, *file, busOptions(options, true));
}

void AsyncClient::loadRules(const std::string& name, const PacketRules& rules, const LoadOptions& options,
                            const Callback<void>& done) {
    calls_->tellManager<sdbus::ObjectPath>("LoadRules", done, name, rules.rules, busOptions(rules, options));
}

void AsyncClient::unload(const std::string& name, const Callback<void>& done) {
    calls_->tellManager("UnloadFilter", done, name);
}

void AsyncClient::acquire(const std::string& name, const Callback<Reference>& done) {
    calls_->askManager<sdbus::ObjectPath>(
        "AcquireFilter", done,
        [session = calls_->session(), name](const sdbus::ObjectPath&) { return Reference(session, name); },
        name);
}

void AsyncClient::release(Reference reference, const Callback<void>& done) {
    if (reference.session_ != calls_->session())
        return calls_->refuse(done, {bus::busErrorName(ErrorCode::NoSuchReference),
                                     "the reference to '" + reference.filter_ +
                                         "' is not one of this connection, or was released"});
    reference.session_.reset();
    calls_->tellManager("ReleaseFilter", done, reference.filter_);
}

void AsyncClient::acquireForUnit(const std::string& name, const std::string& unit,
                                 const Callback<void>& done) {
    calls_->tellManager<sdbus::ObjectPath>("AcquireFilterForUnit", done, name, unit);
}

void AsyncClient::releaseForUnit(const std::string& name, const std::string& unit,
                                 const Callback<void>& done) {
    calls_->tellManager("ReleaseFilterForUnit", done, name, unit);
}

void AsyncClient::filters(const Callback<std::vector<FilterSummary>>& done) {
    calls_->askManager<FilterRows>("ListFilters", done, filtersOf);
}

void AsyncClient::filter(const std::string& name, const Callback<Filter>& done) {
    calls_->withObject("GetFilter", name, done, [calls = calls_.get(), done](const std::string& path) {
        calls->properties(path, kFilterInterface, done, filterOf);
    });
}

void AsyncClient::packetRules(const std::string& name, const Callback<PacketRulesState>& done) {
    calls_->withObject("GetFilter", name, done, [calls = calls_.get(), done](const std::string& path) {
        calls->ask<RuleCountRows, VerdictRow, VerdictRow>(path, kFilterInterface, "GetRules", done,
                                                          rulesStateOf);
    });
}

// ---- parameters -----------------------------------------------------------------------------------------

void AsyncClient::parameters(const std::string& filter, const Callback<std::vector<Parameter>>& done) {
    calls_->withObject("GetFilter", filter, done, [calls = calls_.get(), done](const std::string& path) {
        calls->ask<sdbus::Variant>(
            path, kProperties, "Get", done,
            [](const sdbus::Variant& value) { return parametersOf(value.get<ParameterRows>()); },
            std::string(kFilterInterface), std::string("Parameters"));
    });
}

void AsyncClient::parameter(const std::string& filter, const std::string& name,
                            const Callback<std::string>& done) {
    calls_->withObject(
        "GetFilter", filter, done, [calls = calls_.get(), done, name](const std::string& path) {
            calls->ask<sdbus::Variant>(path, kFilterInterface, "GetParameter", done, textOf, name);
        });
}

void AsyncClient::setParameter(const std::string& filter, const std::string& name, const std::string& value,
                               bool save, const Callback<void>& done) {
    calls_->withObject("GetFilter", filter, done, [=, calls = calls_.get()](const std::string& path) {
        calls->ask(
            path, kFilterInterface, "SetParameter", done, [] {}, name, sdbus::Variant(value),
            saveOption(save));
    });
}

void AsyncClient::savedParameters(const std::string& filter,
                                  const Callback<std::vector<SavedParameter>>& done) {
    calls_->withObject("GetFilter", filter, done, [calls = calls_.get(), done](const std::string& path) {
        calls->ask<SavedRows>(path, kFilterInterface, "GetSavedParameters", done, savedParametersOf);
    });
}

void AsyncClient::unsetParameters(const std::string& filter, const std::vector<std::string>& names,
                                  const Callback<std::vector<std::string>>& done) {
    calls_->askManager<Names>(
        "UnsetParameters", done, [](const Names& removed) { return removed; }, filter, names);
}

void AsyncClient::mapEntries(const std::string& filter, const std::string& map,
                             const Callback<std::vector<MapEntry>>& done) {
    calls_->withObject("GetFilter", filter, done, [calls = calls_.get(), done, map](const std::string& path) {
        calls->ask<EntryRows>(path, kFilterInterface, "MapDump", done, entriesOf, map);
    });
}

void AsyncClient::mapEntry(const std::string& filter, const std::string& map, const std::string& key,
                           const Callback<std::string>& done) {
    calls_->withObject("GetFilter", filter, done, [=, calls = calls_.get()](const std::string& path) {
        calls->ask<sdbus::Variant>(path, kFilterInterface, "MapLookup", done, textOf, map,
                                   sdbus::Variant(key));
    });
}

void AsyncClient::updateMap(const std::string& filter, const std::string& map, const MapEntry& entry,
                            const Callback<void>& done) {
    calls_->withObject("GetFilter", filter, done, [=, calls = calls_.get()](const std::string& path) {
        calls->ask(
            path, kFilterInterface, "MapUpdate", done, [] {}, map, sdbus::Variant(entry.key),
            sdbus::Variant(entry.value));
    });
}

void AsyncClient::deleteFromMap(const std::string& filter, const std::string& map, const std::string& key,
                                const Callback<void>& done) {
    calls_->withObject("GetFilter", filter, done, [=, calls = calls_.get()](const std::string& path) {
        calls->ask(
            path, kFilterInterface, "MapDelete", done, [] {}, map, sdbus::Variant(key));
    });
}

// ---- queues ---------------------------------------------------------------------------------------------

void AsyncClient::setQueue(const std::string& unit, const Queues& queues, const Callback<void>& done) {
    calls_->tellManager("SetQueue", done, unit, queues.ingress, queues.egress, busOptions(queues));
}

void AsyncClient::setQueue(const std::string& unit, const Queues& queues, std::chrono::seconds confirmWithin,
                           const Callback<void>& done) {
    calls_->tellManager("SetQueue", done, unit, queues.ingress, queues.egress,
                        busOptions(queues, confirmWithin));
}

void AsyncClient::confirmQueue(const std::string& unit, const Callback<void>& done) {
    calls_->tellManager("ConfirmQueue", done, unit);
}

void AsyncClient::attachFilter(const std::string& unit, Direction direction, const std::string& filter,
                               const Place& place, std::chrono::seconds confirmWithin,
                               const Callback<std::string>& done) {
    calls_->askManager<std::string>(
        "AttachFilter", done, [](const std::string& from) { return from; }, unit, nameOf(direction), filter,
        busOptions(place, confirmWithin));
}

void AsyncClient::detachFilter(const std::string& unit, Direction direction, const std::string& filter,
                               std::chrono::seconds confirmWithin, const Callback<std::string>& done) {
    calls_->askManager<std::string>(
        "DetachFilter", done, [](const std::string& from) { return from; }, unit, nameOf(direction), filter,
        busOptions(Place{}, confirmWithin));
}

void AsyncClient::resetQueue(const std::string& unit, const Callback<void>& done) {
    calls_->tellManager("ResetQueue", done, unit);
}

void AsyncClient::rules(const Callback<std::vector<Rule>>& done) {
    calls_->askManager<QueueRows>("ListQueues", done, rulesOf);
}

// ---- units, the daemon ----------------------------------------------------------------------------------

void AsyncClient::units(const Callback<std::vector<UnitSummary>>& done) {
    calls_->askManager<UnitRows>("ListUnits", done, unitsOf);
}

void AsyncClient::ensureUnit(const std::string& name, const Callback<void>& done) {
    calls_->tellManager("EnsureUnit", done, name);
}

void AsyncClient::unit(const std::string& name, const Callback<Unit>& done) {
    calls_->withObject("GetUnit", name, done, [calls = calls_.get(), done](const std::string& path) {
        calls->properties(path, kUnitInterface, done, unitOf);
    });
}

void AsyncClient::counters(const std::string& unit, const Callback<std::vector<Counters>>& done) {
    calls_->withObject("GetUnit", unit, done, [calls = calls_.get(), done](const std::string& path) {
        calls->ask<CounterRows>(path, kUnitInterface, "GetCounters", done, countersOf);
    });
}

void AsyncClient::traffic(const std::string& unit, const Callback<std::vector<Traffic>>& done) {
    calls_->withObject("GetUnit", unit, done, [calls = calls_.get(), done](const std::string& path) {
        calls->ask<std::vector<TrafficRow>>(path, kUnitInterface, "GetTraffic", done, trafficOf);
    });
}

void AsyncClient::drops(const std::string& unit, const Callback<Drops>& done) {
    calls_->askManager<DropRows, std::uint64_t, std::uint64_t>("ListDrops", done, dropsOf, unit);
}

void AsyncClient::traffic(const Callback<std::vector<UnitTraffic>>& done) {
    calls_->askManager<std::vector<UnitTrafficRow>>("ListTraffic", done, unitTrafficOf);
}

void AsyncClient::statistics(const Callback<Statistics>& done) {
    const auto addGuard = [calls = calls_.get(), done](Result<Statistics> known) {
        if (!known)
            return done(std::move(known));
        calls->askManager<CountMap>("GetGuardCounters", done, [known = *known](const CountMap& counters) {
            auto all = known;
            all.guard = countsOf(counters);
            return all;
        });
    };
    calls_->askManager<CountMap, LatencyRows, std::uint64_t>("GetStatistics", Callback<Statistics>(addGuard),
                                                             statisticsOf);
}

void AsyncClient::status(const Callback<Status>& done) {
    calls_->properties(bus::kManagerPath, kManagerInterface, done, statusOf);
}

void AsyncClient::reload(const Callback<void>& done) { calls_->tellManager("Reload", done); }

} // namespace filterd::client
