// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/drops/drop_monitor.hpp"

#include "base/log.hpp"

namespace filterd {

namespace {

log::Fields placeOf(const Drop& drop) {
    return {log::id(log::Message::PacketDropped),
            log::unit(drop.origin.unit),
            {"FILTERD_DIRECTION", std::string(toString(drop.direction))},
            log::filter(drop.origin.filter),
            {"FILTERD_LOG_ONLY", drop.logOnly ? "yes" : "no"}};
}

log::Fields fieldsOf(const Drop& drop) {
    auto fields = placeOf(drop);
    fields.emplace_back("FILTERD_PROTOCOL", drop.protocol);
    fields.emplace_back("FILTERD_SOURCE", drop.source);
    fields.emplace_back("FILTERD_DESTINATION", drop.destination);
    if (drop.ports) {
        fields.emplace_back("FILTERD_SOURCE_PORT", std::to_string(drop.ports->source));
        fields.emplace_back("FILTERD_DESTINATION_PORT", std::to_string(drop.ports->destination));
    }
    fields.emplace_back("FILTERD_LENGTH", std::to_string(drop.length));
    fields.push_back(log::cgroup(drop.cgroup.value));
    return fields;
}

} // namespace

std::optional<std::uint64_t> DropMonitor::look(std::uint64_t now) {
    endSecond(now);
    if (auto drained = reports_.drain([&](const DropReport& report) { take(report, now); }); !drained)
        log::error(drained.error().context("reports of dropped packets"));
    return lines_.deadline();
}

void DropMonitor::take(const DropReport& report, std::uint64_t now) {
    if (repeats_.isRepeat(report))
        return;
    const auto drop = decode(report, origins_.of(report));
    history_.add(drop);
    if (lines_.take(drop, now))
        log::info(summaryOf(drop), fieldsOf(drop));
    observer_.packetDropped(drop);
}

void DropMonitor::endSecond(std::uint64_t now) {
    const auto suppressed = lines_.end(now);
    for (const auto& [example, packets] : suppressed.drops) {
        auto fields = placeOf(example);
        fields.emplace_back("FILTERD_SUPPRESSED", std::to_string(packets));
        log::info(whoDropped(example) + " at least " + std::to_string(packets) + " more packets", fields);
    }
    if (suppressed.others > 0)
        log::info("queues of other units dropped at least " + std::to_string(suppressed.others) +
                      " more packets",
                  {{"FILTERD_SUPPRESSED", std::to_string(suppressed.others)}});
}

Result<std::uint64_t> DropMonitor::undelivered() const { return reports_.undelivered(); }

} // namespace filterd
