// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Reads what the daemon and its queues have counted.

#include "client/convert.hpp"

#include <limits>

namespace filterd::client {

namespace {

using DropRowsByFilter = Rows<std::string, std::uint64_t, std::uint64_t, bool>;

std::vector<FilterDropTraffic> dropsByFilter(const DropRowsByFilter& rows) {
    std::vector<FilterDropTraffic> result;
    result.reserve(rows.size());
    for (const auto& row : rows)
        result.push_back({std::get<0>(row), std::get<1>(row), std::get<2>(row), std::get<3>(row)});
    return result;
}

std::chrono::microseconds boundOf(std::uint64_t microseconds) {
    if (microseconds == std::numeric_limits<std::uint64_t>::max())
        return std::chrono::microseconds::max();
    return std::chrono::microseconds(microseconds);
}

} // namespace

std::vector<Traffic> trafficOf(const std::vector<TrafficRow>& rows) {
    std::vector<Traffic> result;
    for (const auto& row : rows) {
        const auto& [direction, packets, bytes, dropped] = bus::fields(row);
        result.push_back({direction, packets, bytes, dropsByFilter(dropped)});
    }
    return result;
}

std::vector<UnitTraffic> unitTrafficOf(const std::vector<UnitTrafficRow>& rows) {
    std::vector<UnitTraffic> result;
    for (const auto& row : rows) {
        const auto& [unit, direction, packets, bytes, dropped] = bus::fields(row);
        result.push_back({unit, {direction, packets, bytes, dropsByFilter(dropped)}});
    }
    return result;
}

std::vector<NamedCount> countsOf(const CountMap& counters) {
    std::vector<NamedCount> counts;
    counts.reserve(counters.size());
    for (const auto& [name, count] : counters)
        counts.push_back({name, count});
    return counts;
}

Statistics statisticsOf(const CountMap& counters, const LatencyRows& latency, std::uint64_t time) {
    Statistics statistics{countsOf(counters), {}, {}, std::chrono::microseconds(time)};
    for (const auto& bucket : latency)
        statistics.attachLatency.push_back({boundOf(std::get<0>(bucket)), std::get<1>(bucket)});
    return statistics;
}

} // namespace filterd::client
