// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A dropped packet, as the kernel's programs report it.

#include "core/model/model.hpp"

#include <cstdint>
#include <vector>

namespace filterd {

struct DropReport {
    std::uint64_t bootTime = 0; // nanoseconds of CLOCK_BOOTTIME
    CgroupId cgroup;            // the socket's
    std::vector<CgroupId>
        ancestors; // down to the socket's cgroup, outermost first; eight at most, without the root
    Direction direction = Direction::Ingress;
    std::uint32_t programId = 0; // of the filter that decided; 0: the unit is held
    bool logOnly = false;        // the packet passed nevertheless
    bool interim = false;        // by the gate, before the unit's queue was attached
    std::uint32_t length = 0;
    std::uint16_t protocol = 0;       // an Ethertype, in host order
    std::uint32_t interface = 0;      // its index
    std::vector<std::uint8_t> packet; // its first bytes, from the network header on
};

} // namespace filterd
