// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// How a queue is to be built: which of its filters are functions, which run by tail call, and where one
// program is too small for all of them, which make up further programs.

#include "core/ebpf/fuse.hpp"
#include "edge/bpf/filters/filter_store.hpp"

#include <compare>
#include <string>
#include <vector>

namespace filterd::bpf {

// A distinct filter of a queue.
struct QueueMember {
    const StoredFilter* filter = nullptr;
    FilterTraits traits;
    std::string tailCallReason; // empty: a function
    bool isTailCall = false;
};

// One after the other: a member, or a group of members.
struct QueueStep {
    std::size_t index = 0;
    bool isGroup = false;
    bool logs = false; // of a member: drops nothing
    auto operator<=>(const QueueStep&) const = default;
};

// Says what a queue does besides filtering, where the kernel takes that.
struct Extras {
    bool counts = true;
    bool reports = true;
};

struct QueueDraft {
    const Queue& queue;
    std::vector<QueueMember> members = {};
    std::vector<std::size_t> order = {}; // of the queue: indices of members
    std::vector<std::vector<std::size_t>> groups = {};
    std::vector<QueueStep> steps = {};
    std::size_t loggedSteps = 0; // those that only log
    std::size_t loggedGroups = 0;
    std::string linksReason = {}; // not empty: cannot be fused
    int gateArray = -1;           // the gate's, for the interim variant
    int tailCallArray = -1;       // to be used again
    Extras extras = {};
    bool inlines = true;

    [[nodiscard]] std::size_t tailCalls() const;
    // Returns the index of a group in the array of programs: behind those of the members.
    [[nodiscard]] std::uint32_t arrayIndexOf(std::size_t group) const {
        return static_cast<std::uint32_t>(members.size() + group);
    }
    // Every filter by tail call.
    void makeTailCalls(const std::string& reason);
};

// Errors: NoSuchFilter, WrongDirection.
[[nodiscard]] Result<QueueDraft> draftQueue(const Queue& queue, const FilterStore& filters);

// Says what is not as it should be, of a queue that runs as one program: QueueFacts::modeReason.
[[nodiscard]] std::string reasonOf(const QueueDraft& draft, const std::vector<std::string>& uncounted);

// Tells apart all that is built for one queue: the first program that is put into an array decides what
// others may be.
[[nodiscard]] std::string variantOf(const QueueDraft& draft);

} // namespace filterd::bpf
