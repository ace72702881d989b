// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Holds what is asked of the kernel's side of filterd and what it tells: plain values, which the pure core
// reads.

#include "core/facts/content.hpp"
#include "core/model/model.hpp"
#include "core/packet_rules/rules_text.hpp"
#include "core/value/parameter.hpp"
#include "core/value/value.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// The filter of rules that a request for rules is to replace.
struct EarlierRules {
    packet::NumberedRules rules;
    int counters = -1; // a descriptor, not owned
};

// A map of the filter of an object that a request is to replace.
struct EarlierMap {
    MapFacts facts;
    int fd = -1; // not owned; -1: its facts alone are known
};

struct ObjectRequest {
    FilterName name; // for messages and for the kernel's program name
    FilterContent content;
    std::string program;                          // which program of the object; empty: the only one
    std::map<std::string, Value> parameters = {}; // of any kind, by the names of globals and maps
    std::optional<EarlierRules> earlier = std::nullopt;
    std::vector<EarlierMap> earlierMaps = {};
};

inline constexpr std::size_t kMaxObjectSize = std::size_t{16} << 20;

// The program as its object describes it, before the kernel has seen it.
struct ObjectOutline {
    FilterDirection direction = FilterDirection::Either; // the verifier may still bind it to egress
    bool bothDirections = false; // does what it is meant for only where it stands in both queues of a unit
    std::vector<std::string> forgotten =
        {}; // maps that cannot be those of the filter that it replaces, and why
};

struct FilterFacts {
    FilterInstance instance;
    FilterDirection direction = FilterDirection::Either;
    std::string programName;
    std::uint32_t programId = 0;
    std::string tag; // the kernel's digest of the instructions, 16 hexadecimal digits
    std::string pinPath;
    std::vector<MapFacts> maps;
    std::vector<Parameter> parameters = {};
    std::optional<packet::NumberedRules> rules = std::nullopt;
    bool bothDirections = false;
    std::vector<std::string> forgotten = {}; // when it was loaded in the place of another
};

struct QueueFacts {
    QueueMode mode = QueueMode::Fused;
    std::string modeReason;      // what is not as it should be: not fused, by tail call, not counted, and why
    std::uint32_t programId = 0; // of the fused program; 0 in links mode
    bool operator==(const QueueFacts&) const = default;
};

struct Attachment {
    QueueId queue;
    bool released = false; // its cgroup is gone for good; the link is to be collected
    bool operator==(const Attachment&) const = default;
};

// Counts what one attachment has decided since its unit's cgroup exists, over every change of its queue.
struct FilterDrops {
    FilterName filter;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    bool logOnly = false; // they passed nevertheless: the queue only logged
    bool operator==(const FilterDrops&) const = default;
};

struct QueueCounters {
    std::uint64_t passed = 0;
    std::uint64_t held = 0; // dropped by the hold queue
    std::uint64_t passedBytes = 0;
    std::uint64_t heldBytes = 0;
    std::vector<FilterDrops> dropped; // a filter that dropped nothing is left out
};

struct KernelState {
    std::vector<FilterFacts> filters;
    std::vector<FilterInstance> unpinned = {}; // filters that are loaded, and stand under no name yet
    std::map<QueueId, QueueFacts> queues;
    std::map<QueueId, Queue> contents; // of the queues of which it is known
    std::map<AttachPoint, Attachment> attachments;
};

} // namespace filterd
