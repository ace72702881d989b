// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Records of dropped packets, as they lie in the ring buffer, one behind the other.

#include "edge/bpf/drops/drop_record.hpp"

#include "bpf/drops.h"
#include "core/drops/drop.hpp"
#include "core/drops/drop_history.hpp"
#include "core/drops/drop_lines.hpp"
#include "core/drops/drop_repeats.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <span>

namespace filterd::fuzz {
namespace {

struct Readers {
    DropHistory history;
    DropLines lines;
    DropRepeats repeats;
};

void take(const DropReport& report, Readers& readers) {
    require(report.packet.size() <= DROP_PACKET_SIZE && report.ancestors.size() <= DROP_LEVELS,
            "no report is longer than its record");
    const std::string unit = "u" + std::to_string(report.programId % 256) + ".service";
    const auto drop = decode(report, {unit, "port@443"});
    require(isUtf8(summaryOf(drop)), "a summary is text", summaryOf(drop));
    require(summaryOf(drop).starts_with(whoDropped(drop)), "a summary begins with who dropped");
    (void)readers.repeats.isRepeat(report);
    readers.history.add(drop);
    const auto sums = readers.history.sums(unit, drop.bootTime);
    require(sums.size() <= DropHistory::kMaxSumsOfUnit + 8, "the history has an end");
    if (const auto deadline = readers.lines.deadline(); deadline && *deadline <= drop.bootTime)
        (void)readers.lines.end(drop.bootTime);
    (void)readers.lines.take(drop, drop.bootTime);
}

void check(std::span<const std::byte> bytes) {
    Readers readers;
    if (const auto report = bpf::decodeDropRecord(bytes))
        take(*report, readers);
    while (!bytes.empty()) { // what is missing is zero
        std::vector<std::byte> record(sizeof(drop_record));
        const auto part = bytes.first(std::min(bytes.size(), record.size()));
        std::copy(part.begin(), part.end(), record.begin());
        bytes = bytes.subspan(part.size());
        if (const auto report = bpf::decodeDropRecord(record))
            take(*report, readers);
    }
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(std::as_bytes(std::span(data, size)));
    return 0;
}
