// What the daemon and its queues have counted.

#include "client/session.hpp"

#include <limits>

namespace filterd::client {

namespace {

std::vector<NamedCount> countsOf(const std::map<std::string, std::uint64_t>& counters) {
    std::vector<NamedCount> counts;
    counts.reserve(counters.size());
    for (const auto& [name, count] : counters)
        counts.push_back({name, count});
    return counts;
}

std::chrono::microseconds boundOf(std::uint64_t microseconds) {
    if (microseconds == std::numeric_limits<std::uint64_t>::max())
        return std::chrono::microseconds::max();
    return std::chrono::microseconds(microseconds);
}

} // namespace

Result<std::vector<UnitTraffic>> Client::traffic() const noexcept {
    return guarded([&] {
        std::vector<UnitTraffic> result;
        for (const auto& row : session_->manager().ListTraffic()) {
            const auto& [unit, direction, packets, bytes, dropped] = bus::fields(row);
            UnitTraffic one{unit, {direction, packets, bytes, {}}};
            for (const auto& drops : dropped)
                one.traffic.dropped.push_back({std::get<0>(drops), std::get<1>(drops), std::get<2>(drops)});
            result.push_back(std::move(one));
        }
        return result;
    });
}

Result<Statistics> Client::statistics() const noexcept {
    return guarded([&] {
        const auto [counters, latency, time] = session_->manager().GetStatistics();
        Statistics statistics{countsOf(counters), countsOf(session_->manager().GetGuardCounters()), {}, {}};
        for (const auto& bucket : latency)
            statistics.attachLatency.push_back({boundOf(std::get<0>(bucket)), std::get<1>(bucket)});
        statistics.attachTime = std::chrono::microseconds(time);
        return statistics;
    });
}

} // namespace filterd::client
