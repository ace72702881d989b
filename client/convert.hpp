// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Turns what goes over the bus and what the public header has into each other: for calls that wait and for
// those that do not.

#include "dbus/bridge.hpp"

#include <filterd/filterd.hpp>

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace filterd::client {

using Options = std::map<std::string, sdbus::Variant>;
using Names = std::vector<std::string>;
template<typename... Fields>
using Row = sdbus::Struct<Fields...>;
template<typename... Fields>
using Rows = std::vector<Row<Fields...>>;

using FilterRows = Rows<std::string, sdbus::ObjectPath, std::string, std::uint32_t, std::uint32_t>;
using VerdictRow = Row<std::string, std::uint64_t, std::uint64_t>;
using PacketRuleRows = Rows<std::string, std::string, std::uint64_t, std::uint64_t>;
using ParameterRows = Rows<std::string, std::string, std::string, std::string>;
using SavedRows = Rows<std::string, std::string, Names>;
using EntryRows = Rows<std::string, std::string>;
using QueueRows = Rows<std::string, Names, Names, Names, Options>;
using UnitRows = Rows<std::string, sdbus::ObjectPath, std::string, std::string>;
using CounterRows = Rows<std::string, std::uint64_t, Rows<std::string, std::uint64_t, bool>>;
using TrafficRow =
    Row<std::string, std::uint64_t, std::uint64_t, Rows<std::string, std::uint64_t, std::uint64_t, bool>>;
using UnitTrafficRow = Row<std::string, std::string, std::uint64_t, std::uint64_t,
                           Rows<std::string, std::uint64_t, std::uint64_t, bool>>;
using CountMap = std::map<std::string, std::uint64_t>;
using LatencyRows = Rows<std::uint64_t, std::uint64_t>;
using DropRows = Rows<std::string, std::string, std::string, std::string, std::string, std::uint16_t,
                      std::uint64_t, std::uint64_t, bool>;

// Properties of one object, read in one call.
class Properties {
  public:
    explicit Properties(Options values) : values_(std::move(values)) {}

    template<typename T>
    [[nodiscard]] T get(const char* name) const {
        const auto found = values_.find(name);
        if (found == values_.end())
            throw bus::makeError("org.freedesktop.DBus.Error.UnknownProperty",
                                 std::string("the daemon has no property ") + name);
        return found->second.get<T>();
    }
    [[nodiscard]] std::string text(const char* name) const { return get<std::string>(name); }
    [[nodiscard]] std::uint32_t number(const char* name) const { return get<std::uint32_t>(name); }
    [[nodiscard]] Names list(const char* name) const { return get<Names>(name); }

  private:
    Options values_;
};

// Opens the object for reading; throws where the connection can pass no file.
[[nodiscard]] sdbus::UnixFd objectFor(bool passesFiles, const std::string& path);
[[nodiscard]] std::chrono::system_clock::time_point timeOf(std::uint64_t microseconds);

[[nodiscard]] Options busOptions(const LoadOptions& options, bool transient);
[[nodiscard]] Options busOptions(const PacketRules& rules, const LoadOptions& options);
[[nodiscard]] Options busOptions(const Queues& queues);
[[nodiscard]] Options busOptions(const Queues& queues, std::chrono::seconds confirmWithin);
[[nodiscard]] Options busOptions(const Place& place, std::chrono::seconds confirmWithin);
[[nodiscard]] Options saveOption(bool save);
[[nodiscard]] std::string nameOf(Direction direction);

[[nodiscard]] std::vector<FilterSummary> filtersOf(const FilterRows& rows);
[[nodiscard]] Filter filterOf(const Properties& from);
[[nodiscard]] PacketRulesState packetRulesStateOf(const PacketRuleRows& rules, const VerdictRow& byDefault,
                                                  const VerdictRow& unparsable);
[[nodiscard]] std::vector<Parameter> parametersOf(const ParameterRows& rows);
[[nodiscard]] std::vector<SavedParameter> savedParametersOf(const SavedRows& rows);
[[nodiscard]] std::vector<MapEntry> entriesOf(const EntryRows& rows);
[[nodiscard]] std::string textOf(const sdbus::Variant& value);
[[nodiscard]] std::vector<UnitRule> unitRulesOf(const QueueRows& rows);
[[nodiscard]] std::vector<UnitSummary> unitsOf(const UnitRows& rows);
[[nodiscard]] Unit unitOf(const Properties& from);
[[nodiscard]] std::vector<Counters> countersOf(const CounterRows& rows);
[[nodiscard]] std::vector<Traffic> trafficOf(const std::vector<TrafficRow>& rows);
[[nodiscard]] std::vector<UnitTraffic> unitTrafficOf(const std::vector<UnitTrafficRow>& rows);
// All but what the guard has counted.
[[nodiscard]] Statistics statisticsOf(const CountMap& counters, const LatencyRows& latency,
                                      std::uint64_t time);
[[nodiscard]] std::vector<NamedCount> countsOf(const CountMap& counters);
[[nodiscard]] Drops dropsOf(const DropRows& rows, std::uint64_t undelivered, std::uint64_t since);
[[nodiscard]] Status statusOf(const Properties& from);

} // namespace filterd::client
