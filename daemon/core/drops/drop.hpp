// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A dropped packet as people are told of it.

#include "core/drops/drop_report.hpp"
#include "core/packet/endpoints.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// Where a report belongs: what only the daemon knows.
struct DropOrigin {
    std::string unit;   // empty: its cgroup was gone before it was known
    std::string filter; // empty: the unit is held
    bool operator==(const DropOrigin&) const = default;
};

struct Drop {
    std::uint64_t bootTime = 0; // microseconds of CLOCK_BOOTTIME
    DropOrigin origin;
    CgroupId cgroup; // the socket's
    Direction direction = Direction::Ingress;
    std::string protocol; // "tcp", or a number; empty if the packet cannot be read, as are the addresses
    std::string source;
    std::string destination;
    std::optional<packet::Ports> ports;
    std::uint32_t length = 0;
    bool logOnly = false; // it passed nevertheless
    std::uint32_t interface = 0;
    std::vector<std::uint8_t> headers; // the packet's first bytes
    bool operator==(const Drop&) const = default;
};

[[nodiscard]] Drop decode(const DropReport& report, DropOrigin origin);

// "nginx.service: ingress: filter 'port@443' dropped tcp 192.0.2.7:51234 -> 192.0.2.1:22, 60 bytes"
[[nodiscard]] std::string summaryOf(const Drop& drop);

// The beginning of that: "nginx.service: ingress: filter 'port@443' dropped"
[[nodiscard]] std::string whoDropped(const Drop& drop);

} // namespace filterd
