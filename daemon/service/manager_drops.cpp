// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// org.filterd1.Manager: what was dropped.

#include "base/clock.hpp"
#include "service/manager_object.hpp"

namespace filterd {

namespace {

using Details = std::map<std::string, sdbus::Variant>;

// What is to be added to CLOCK_BOOTTIME for the time of people's clocks, in microseconds. Moments of one
// answer need the same: it is not exact.
std::uint64_t realTimeOffset() { return microsecondsOf(CLOCK_REALTIME) - microsecondsOf(CLOCK_BOOTTIME); }

Details detailsOf(const Drop& drop) {
    Details details{{"length", sdbus::Variant(drop.length)},
                    {"interface", sdbus::Variant(drop.interface)},
                    {"cgroup", sdbus::Variant(drop.cgroup.value)},
                    {"log-only", sdbus::Variant(drop.logOnly)},
                    {"headers", sdbus::Variant(drop.headers)}};
    if (!drop.protocol.empty()) {
        details.emplace("protocol", sdbus::Variant(drop.protocol));
        details.emplace("source", sdbus::Variant(drop.source));
        details.emplace("destination", sdbus::Variant(drop.destination));
    }
    if (drop.ports) {
        details.emplace("source-port", sdbus::Variant(drop.ports->source));
        details.emplace("destination-port", sdbus::Variant(drop.ports->destination));
    }
    return details;
}

} // namespace

void ManagerObject::tellDropped(const Drop& drop) {
    const auto clients = context_.followers.toTell(drop.origin.unit, microsecondsOf(CLOCK_BOOTTIME));
    if (clients.empty())
        return;
    const auto time = realTimeOffset() + drop.bootTime;
    const auto unit = bus::printable(drop.origin.unit);
    const std::string direction(toString(drop.direction));
    const auto details = detailsOf(drop);
    for (const auto& client : clients)
        bus::emitTo(getObject(), client, INTERFACE_NAME, "PacketDropped", time, unit, direction,
                    drop.origin.filter, details);
}

Result<std::string> ManagerObject::followed(const std::string& unit) const {
    return unit.empty() ? Result<std::string>(unit) : context_.firewall.units().nameForDrops(unit);
}

void ManagerObject::FollowDrops(sdbus::Result<>&& result, std::string unit) {
    filterd::whenAllowed(context_.authority, getObject(), Privilege::Inspect, std::move(result),
                         [this, unit](const Caller& caller) -> Status {
                             auto name = followed(unit);
                             return name ? context_.followers.add(caller, *name) : failure(name.error());
                         });
}

void ManagerObject::UnfollowDrops(const std::string& unit) {
    bus::answer([&]() -> Status {
        const auto caller = bus::callerName(getObject());
        if (!caller)
            return failure(caller.error());
        auto name = followed(unit);
        return name ? context_.followers.remove(*caller, *name) : failure(name.error());
    });
}

void ManagerObject::ListDrops(sdbus::Result<std::vector<DropRow>, std::uint64_t, std::uint64_t>&& result,
                              std::string unit) {
    using Answer = std::tuple<std::vector<DropRow>, std::uint64_t, std::uint64_t>;
    filterd::whenAllowed(
        context_.authority, getObject(), Privilege::Inspect, std::move(result),
        [this, unit](const Caller&) -> Result<Answer> {
            const auto name = context_.firewall.units().nameForDrops(unit);
            if (!name)
                return failure(name.error());
            const auto undelivered = context_.drops.undelivered();
            if (!undelivered)
                return failure(undelivered.error());
            const auto offset = realTimeOffset();
            std::vector<DropRow> rows;
            for (const auto& sum : context_.drops.sums(*name, microsecondsOf(CLOCK_BOOTTIME)))
                rows.emplace_back(std::string(toString(sum.direction)), sum.filter, sum.protocol, sum.source,
                                  sum.destination, sum.destinationPort, sum.packets, offset + sum.last,
                                  sum.logOnly);
            return Answer(std::move(rows), *undelivered, offset + context_.drops.since());
        });
}

} // namespace filterd
