// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/drops/drop.hpp"

#include <span>

namespace filterd {

namespace {

std::string ofWhom(const Drop& drop) {
    return drop.origin.unit.empty() ? "cgroup " + std::to_string(drop.cgroup.value) : drop.origin.unit;
}

std::string endOf(const std::string& address, const std::optional<packet::Ports>& ports,
                  std::uint16_t packet::Ports::*port) {
    return ports ? packet::withPort(address, (*ports).*port) : address;
}

std::string packetOf(const Drop& drop) {
    if (drop.protocol.empty())
        return "a packet that cannot be read";
    return drop.protocol + " " + endOf(drop.source, drop.ports, &packet::Ports::source) + " -> " +
           endOf(drop.destination, drop.ports, &packet::Ports::destination);
}

} // namespace

Drop decode(const DropReport& report, DropOrigin origin) {
    Drop drop;
    drop.bootTime = report.bootTime / 1'000;
    drop.origin = std::move(origin);
    drop.cgroup = report.cgroup;
    drop.direction = report.direction;
    drop.length = report.length;
    drop.logOnly = report.logOnly;
    drop.interface = report.interface;
    drop.headers = report.packet;
    if (auto endpoints = packet::endpointsOf(report.protocol, std::as_bytes(std::span(report.packet)))) {
        drop.protocol = packet::protocolName(endpoints->protocol);
        drop.source = std::move(endpoints->source);
        drop.destination = std::move(endpoints->destination);
        drop.ports = endpoints->ports;
    }
    return drop;
}

std::string whoDropped(const Drop& drop) {
    const std::string head = ofWhom(drop) + ": " + std::string(toString(drop.direction)) + ": ";
    if (drop.origin.filter.empty())
        return head + "held, dropped";
    return head + "filter '" + drop.origin.filter + "' " + (drop.logOnly ? "would have dropped" : "dropped");
}

std::string summaryOf(const Drop& drop) {
    return whoDropped(drop) + " " + packetOf(drop) + ", " + std::to_string(drop.length) + " bytes";
}

} // namespace filterd
