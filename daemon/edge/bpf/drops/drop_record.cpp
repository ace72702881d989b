// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/drops/drop_record.hpp"

#include "bpf/drops.h"

#include <cstddef>
#include <cstring>

namespace filterd::bpf {

namespace {

// A record of earlier builds of 0.1.0 had fewer ancestors. Programs that write it may be pinned and in force.
constexpr std::size_t kEarlierLevels = 8;
constexpr std::size_t kMissing = (DROP_LEVELS - kEarlierLevels) * sizeof(__u64);
constexpr std::size_t kEarlierHead = offsetof(drop_record, ancestors) + kEarlierLevels * sizeof(__u64);

std::optional<drop_record> recordOf(std::span<const std::byte> bytes) {
    drop_record record{};
    if (bytes.size() == sizeof record) {
        std::memcpy(&record, bytes.data(), sizeof record);
    } else if (bytes.size() == sizeof record - kMissing) {
        auto* const start = reinterpret_cast<std::byte*>(&record);
        std::memcpy(start, bytes.data(), kEarlierHead);
        std::memcpy(start + kEarlierHead + kMissing, bytes.data() + kEarlierHead,
                    bytes.size() - kEarlierHead);
    } else {
        return std::nullopt;
    }
    return record;
}

} // namespace

std::optional<DropReport> decodeDropRecord(std::span<const std::byte> bytes) {
    const auto read = recordOf(bytes);
    if (!read)
        return std::nullopt;
    const drop_record& record = *read;
    constexpr __u32 kFlags = DROP_EGRESS | DROP_LOG_ONLY | DROP_INTERIM;
    if ((record.flags & ~kFlags) != 0 || record.captured > DROP_PACKET_SIZE)
        return std::nullopt;
    DropReport report;
    report.bootTime = record.boot_time;
    report.cgroup = {record.cgroup};
    for (const __u64 ancestor : record.ancestors)
        if (ancestor != 0)
            report.ancestors.push_back({ancestor});
    report.direction = (record.flags & DROP_EGRESS) != 0 ? Direction::Egress : Direction::Ingress;
    report.programId = record.program;
    report.logOnly = (record.flags & DROP_LOG_ONLY) != 0;
    report.interim = (record.flags & DROP_INTERIM) != 0;
    report.length = record.length;
    report.protocol = record.protocol;
    report.interface = record.interface;
    report.packet.assign(record.packet, record.packet + record.captured);
    return report;
}

} // namespace filterd::bpf
