// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// org.filterd1.Manager: what was counted.

#include "service/drop_rows.hpp"
#include "service/manager_object.hpp"

#include <limits>

namespace filterd {

namespace {

std::map<std::string, std::uint64_t> countersOf(const Statistics& statistics) {
    const auto& actions = statistics.actions;
    return {{"attachments", actions.attachments},
            {"replacements", actions.replacements},
            {"attachment-failures", actions.attachmentFailures},
            {"builds", actions.builds},
            {"build-failures", actions.buildFailures},
            {"holds", statistics.holds},
            {"overflows", statistics.overflows}};
}

std::vector<sdbus::Struct<std::uint64_t, std::uint64_t>> bucketsOf(const LatencyHistogram& histogram) {
    std::vector<sdbus::Struct<std::uint64_t, std::uint64_t>> buckets;
    for (std::size_t bound = 0; bound < LatencyHistogram::kBounds.size(); ++bound)
        buckets.emplace_back(static_cast<std::uint64_t>(LatencyHistogram::kBounds.at(bound)),
                             histogram.upTo(bound));
    buckets.emplace_back(std::numeric_limits<std::uint64_t>::max(), histogram.count());
    return buckets;
}

} // namespace

void ManagerObject::ListTraffic(sdbus::Result<std::vector<TrafficRow>>&& result) {
    filterd::whenAllowed(context_.authority, getObject(), Privilege::Inspect, std::move(result),
                         [this](const Caller&) -> Result<std::vector<TrafficRow>> {
                             std::vector<TrafficRow> rows;
                             for (const auto& [name, view] : context_.firewall.units().all())
                                 for (const auto& [direction, counted] :
                                      context_.firewall.units().readableCounters(view))
                                     rows.emplace_back(name, std::string(toString(direction)), counted.passed,
                                                       counted.passedBytes, dropRowsOf(counted));
                             return rows;
                         });
}

std::tuple<std::map<std::string, std::uint64_t>, std::vector<sdbus::Struct<std::uint64_t, std::uint64_t>>,
           std::uint64_t>
ManagerObject::GetStatistics() {
    return bus::answer([&] {
        const auto& statistics = context_.firewall.inForce().reconciler().statistics();
        auto counters = countersOf(statistics);
        if (const auto undelivered = context_.drops.undelivered())
            counters.emplace("undelivered-drop-reports", *undelivered);
        return std::tuple(std::move(counters), bucketsOf(statistics.attachLatency),
                          static_cast<std::uint64_t>(statistics.attachLatency.sum().count()));
    });
}

} // namespace filterd
