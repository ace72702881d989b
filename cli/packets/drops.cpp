// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/packets/drops.hpp"

#include "core/packet/endpoints.hpp"

namespace filterd::cli {

namespace {

std::string endText(const std::string& address, std::uint16_t port) {
    return port == 0 ? address : packet::withPort(address, port);
}

nlohmann::json portOf(std::uint16_t port) { return port == 0 ? nlohmann::json() : nlohmann::json(port); }

std::string hexadecimal(const std::vector<std::uint8_t>& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const auto byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

} // namespace

std::int64_t microsecondsOf(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::string whoseText(const client::Drop& drop) {
    return drop.unit.empty() ? "cgroup " + std::to_string(drop.controlGroupId) : drop.unit;
}

std::string packetText(const client::Drop& drop) {
    if (drop.protocol.empty())
        return "a packet that cannot be read";
    return drop.protocol + " " + endText(drop.source, drop.sourcePort) + " -> " +
           endText(drop.destination, drop.destinationPort);
}

std::string deciderText(const client::Drop& drop) {
    if (drop.filter.empty())
        return "while held";
    return "by " + drop.filter + (drop.logOnly ? " (log only: it passed)" : "");
}

nlohmann::json jsonOf(const client::Drop& drop) {
    return {{"time_usec", microsecondsOf(drop.time)},
            {"unit", drop.unit},
            {"direction", drop.direction},
            {"filter", drop.filter},
            {"protocol", drop.protocol},
            {"source", drop.source},
            {"source_port", portOf(drop.sourcePort)},
            {"destination", drop.destination},
            {"destination_port", portOf(drop.destinationPort)},
            {"length", drop.length},
            {"interface", drop.interface},
            {"control_group_id", drop.controlGroupId},
            {"log_only", drop.logOnly},
            {"headers", hexadecimal(drop.headers)}};
}

nlohmann::json jsonOf(const client::DropSum& sum) {
    return {{"direction", sum.direction},     {"filter", sum.filter},
            {"protocol", sum.protocol},       {"source", sum.source},
            {"destination", sum.destination}, {"destination_port", portOf(sum.destinationPort)},
            {"packets", sum.packets},         {"last_usec", microsecondsOf(sum.last)},
            {"log_only", sum.logOnly}};
}

} // namespace filterd::cli
