// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Every call of the library, once: what it carries, and what is made of the answer. Client waits for them,
// AsyncClient does not.

#include "client/call.hpp"

namespace filterd::client {

struct Calls {
  private:
    template<typename T>
    static T same(const T& value) {
        return value;
    }
    static auto referenceBy(const std::shared_ptr<Session>& session, const std::string& name) {
        return [session, name](const sdbus::ObjectPath&) { return Reference(session, name); };
    }
    template<typename... Out, typename Convert, typename... In>
    static auto manager(const char* member, Convert convert, In... in) {
        return callTo<Out...>({}, kManagerInterface, member, std::move(convert), std::move(in)...);
    }
    template<typename... Out, typename Convert, typename... In>
    static auto ofFilter(const std::string& filter, const char* member, Convert convert, In... in) {
        return callTo<Out...>({"GetFilter", filter}, kFilterInterface, member, std::move(convert),
                              std::move(in)...);
    }
    // All of one interface in one call: they belong to one moment.
    template<typename T>
    static auto propertiesOf(Target target, const char* interface, T (*read)(const Properties&)) {
        return callTo<Options>(
            std::move(target), kProperties, "GetAll",
            [read](const Options& values) { return read(Properties(values)); }, std::string(interface));
    }

  public:
    // ---- filters

    static auto load(const Session& session, const std::string& name, const std::string& object,
                     const LoadOptions& options) {
        return manager<sdbus::ObjectPath>("LoadFilter", kNothing, name,
                                          objectFor(session.passesFiles(), object),
                                          busOptions(options, false));
    }
    static auto loadFromPath(const std::string& name, const std::string& object, const LoadOptions& options) {
        return manager<sdbus::ObjectPath>("LoadFilterFromPath", kNothing, name, object,
                                          busOptions(options, false));
    }
    static auto loadTransient(const std::shared_ptr<Session>& session, const std::string& name,
                              const std::string& object, const LoadOptions& options) {
        return manager<sdbus::ObjectPath>("LoadFilter", referenceBy(session, name), name,
                                          objectFor(session->passesFiles(), object),
                                          busOptions(options, true));
    }
    static auto loadPacketRules(const std::string& name, const PacketRules& rules,
                                const LoadOptions& options) {
        return manager<sdbus::ObjectPath>("LoadPacketRules", kNothing, name, rules.rules,
                                          busOptions(rules, options));
    }
    static auto unload(const std::string& name) { return manager("UnloadFilter", kNothing, name); }
    static auto acquire(const std::shared_ptr<Session>& session, const std::string& name) {
        return manager<sdbus::ObjectPath>("AcquireFilter", referenceBy(session, name), name);
    }
    static auto release(const std::string& name) { return manager("ReleaseFilter", kNothing, name); }
    static auto acquireForUnit(const std::string& name, const std::string& unit) {
        return manager<sdbus::ObjectPath>("AcquireFilterForUnit", kNothing, name, unit);
    }
    static auto releaseForUnit(const std::string& name, const std::string& unit) {
        return manager("ReleaseFilterForUnit", kNothing, name, unit);
    }
    static auto filters() { return manager<FilterRows>("ListFilters", filtersOf); }
    static auto filter(const std::string& name) {
        return propertiesOf({"GetFilter", name}, kFilterInterface, filterOf);
    }
    static auto packetRules(const std::string& name) {
        return ofFilter<PacketRuleRows, VerdictRow, VerdictRow>(name, "GetPacketRules", packetRulesStateOf);
    }

    // ---- parameters

    static auto parameters(const std::string& filter) {
        return callTo<sdbus::Variant>(
            {"GetFilter", filter}, kProperties, "Get",
            [](const sdbus::Variant& value) { return parametersOf(value.get<ParameterRows>()); },
            std::string(kFilterInterface), std::string("Parameters"));
    }
    static auto parameter(const std::string& filter, const std::string& name) {
        return ofFilter<sdbus::Variant>(filter, "GetParameter", textOf, name);
    }
    static auto setParameter(const std::string& filter, const std::string& name, const std::string& value,
                             bool save) {
        return ofFilter(filter, "SetParameter", kNothing, name, sdbus::Variant(value), saveOption(save));
    }
    static auto savedParameters(const std::string& filter) {
        return ofFilter<SavedRows>(filter, "GetSavedParameters", savedParametersOf);
    }
    static auto unsetParameters(const std::string& filter, const std::vector<std::string>& names) {
        return manager<Names>("UnsetParameters", same<Names>, filter, names);
    }
    static auto mapEntries(const std::string& filter, const std::string& map) {
        return ofFilter<EntryRows>(filter, "MapDump", entriesOf, map);
    }
    static auto mapEntry(const std::string& filter, const std::string& map, const std::string& key) {
        return ofFilter<sdbus::Variant>(filter, "MapLookup", textOf, map, sdbus::Variant(key));
    }
    static auto updateMap(const std::string& filter, const std::string& map, const MapEntry& entry) {
        return ofFilter(filter, "MapUpdate", kNothing, map, sdbus::Variant(entry.key),
                        sdbus::Variant(entry.value));
    }
    static auto deleteFromMap(const std::string& filter, const std::string& map, const std::string& key) {
        return ofFilter(filter, "MapDelete", kNothing, map, sdbus::Variant(key));
    }

    // ---- queues

    static auto setQueue(const std::string& unit, const Queues& queues) {
        return manager("SetQueue", kNothing, unit, queues.ingress, queues.egress, busOptions(queues));
    }
    static auto setQueue(const std::string& unit, const Queues& queues, std::chrono::seconds confirmWithin) {
        return manager("SetQueue", kNothing, unit, queues.ingress, queues.egress,
                       busOptions(queues, confirmWithin));
    }
    static auto confirmQueue(const std::string& unit) { return manager("ConfirmQueue", kNothing, unit); }
    static auto attachFilter(const std::string& unit, Direction direction, const std::string& filter,
                             const Place& place, std::chrono::seconds confirmWithin) {
        return manager<std::string>("AttachFilter", same<std::string>, unit, nameOf(direction), filter,
                                    busOptions(place, confirmWithin));
    }
    static auto detachFilter(const std::string& unit, Direction direction, const std::string& filter,
                             std::chrono::seconds confirmWithin) {
        return manager<std::string>("DetachFilter", same<std::string>, unit, nameOf(direction), filter,
                                    busOptions(Place{}, confirmWithin));
    }
    static auto resetQueue(const std::string& unit) { return manager("ResetQueue", kNothing, unit); }
    static auto unitRules() { return manager<QueueRows>("ListQueues", unitRulesOf); }

    // ---- units, packets, the daemon

    static auto units() { return manager<UnitRows>("ListUnits", unitsOf); }
    static auto ensureUnit(const std::string& name) { return manager("EnsureUnit", kNothing, name); }
    static auto unit(const std::string& name) {
        return propertiesOf({"GetUnit", name}, kUnitInterface, unitOf);
    }
    static auto counters(const std::string& unit) {
        return callTo<CounterRows>({"GetUnit", unit}, kUnitInterface, "GetCounters", countersOf);
    }
    static auto traffic(const std::string& unit) {
        return callTo<std::vector<TrafficRow>>({"GetUnit", unit}, kUnitInterface, "GetTraffic", trafficOf);
    }
    static auto traffic() { return manager<std::vector<UnitTrafficRow>>("ListTraffic", unitTrafficOf); }
    static auto drops(const std::string& unit) {
        return manager<DropRows, std::uint64_t, std::uint64_t>("ListDrops", dropsOf, unit);
    }
    static auto followDrops(const std::string& unit) { return manager("FollowDrops", kNothing, unit); }
    static auto unfollowDrops(const std::string& unit) { return manager("UnfollowDrops", kNothing, unit); }
    static auto statistics() {
        return manager<CountMap, LatencyRows, std::uint64_t>("GetStatistics", statisticsOf);
    }
    // Adds what the guard has counted.
    static auto guardStatistics(Statistics known) {
        return manager<CountMap>("GetGuardCounters", [known = std::move(known)](const CountMap& counters) {
            auto all = known;
            all.guard = countsOf(counters);
            return all;
        });
    }
    static auto status() { return propertiesOf({}, kManagerInterface, statusOf); }
    static auto version() {
        return callTo<sdbus::Variant>({}, kProperties, "Get", textOf, std::string(kManagerInterface),
                                      std::string("Version"));
    }
    static auto reload() { return manager("Reload", kNothing); }
};

} // namespace filterd::client
