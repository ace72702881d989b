// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Builds the instructions of a queue that runs as one program: a dispatcher calls each filter as a function,
// leaves at the first drop, counts who decided and reports it, and combines the congestion bits. Pure: map
// references are indices into a table of descriptors that the loader hands to the kernel.

#include "base/result.hpp"
#include "core/ebpf/filter_code.hpp"
#include "core/model/model.hpp"

#include <cstddef>
#include <cstdint>
#include <linux/bpf.h>
#include <optional>
#include <vector>

namespace filterd {

// Limits of the kernel for one program.
inline constexpr std::size_t kMaxFunctions = 256; // the dispatcher is one of them
inline constexpr std::size_t kMaxProgramMaps = 64;
inline constexpr std::size_t kMaxTailCalls = 32; // tail calls in one run
// Ours: the dispatcher's jumps have 16 bits.
inline constexpr std::size_t kMaxQueueLength = 1024;

// The slots of an attachment's counters: packets and bytes. Which filter has which slot is decided once per
// filter name, so that counts outlive a reorder and a replaced filter.
inline constexpr std::uint32_t kPassedSlot = 0;
inline constexpr std::uint32_t kFirstFilterSlot = 1;
inline constexpr std::uint32_t kLastFilterSlot = 63;
inline constexpr std::uint32_t kHeldSlot = 64;
inline constexpr std::uint32_t kCounterSlots = 65;
struct SlotCount {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    bool operator==(const SlotCount&) const = default;
};

// The gate's word in skb->cb[4]: a filter of a deeper cgroup asked for congestion notification.
inline constexpr std::uint32_t kGateCongestionBit = 0x10000;
inline constexpr std::uint32_t kGateSlot = 0; // the gate in its own program array

// One distinct filter of a queue: a function (its instructions) or, without instructions, a tail call of
// the filter's own program. Or the tail call of a group: of a fused program for a part of the queue.
struct FusePart {
    InstructionView instructions;
    std::vector<std::uint32_t> maps; // the function's map index -> index in the table of the fused program
    std::uint32_t tailCallIndex = 0; // in the queue's program array
    std::uint32_t counterSlot = 0;   // 0: its drops are not counted
    std::uint32_t programId = 0;     // the kernel's of the filter, for reports
    bool group = false;              // it tells the slot of what dropped
    bool congestion = true;          // may return 2 or 3, where the queue may
    // Whether it may look at skb->cb and write into it. Of what never does nothing needs to be hidden.
    bool readsCb = true;
    bool writesCb = true;
};

// A function (context, program id, flags) that reports a drop, in a program of its own or within another.
struct FuseReporter {
    InstructionView instructions;
    std::vector<std::uint32_t> maps; // as of a part
    std::uint32_t flags = 0;
    std::uint32_t loggedFlags = 0; // of drops in the steps that only log
};

struct FuseInput {
    Direction direction = Direction::Ingress;
    std::vector<FusePart> parts;
    std::vector<std::size_t> order; // indices into parts; a filter may stand in a queue more than once
    bool hold = false;              // drops everything; parts and order are empty
    bool logOnly = false; // the rest does not run after a drop, which is counted, but the packet passes
    std::size_t loggedSteps = 0; // the first of `order`: after a drop in them, the step behind them is next
    bool congestion = false;     // egress: some part may return 2 or 3
    // Whether filters may stand within the dispatcher: a call costs more than many a filter.
    bool inlines = false;
    bool isGroup = false; // a part of a queue: counts nothing, tells in skb->cb[0] the slot of what dropped
    std::optional<FuseReporter> reporter = std::nullopt; // none: drops without a word
    // Indices in the table of descriptors.
    std::optional<std::uint32_t> counterMap = std::nullopt; // none: counts nothing
    std::optional<std::uint32_t> tailCallArray = std::nullopt;
    std::optional<std::uint32_t> gateArray =
        std::nullopt; // the interim variant: enters from the gate and returns to it
};

enum class FunctionKind : std::uint8_t {
    Filter, // global: a verified boundary of its own; without it some kernels take a wrong verdict
    Part,   // of a filter: static
    Reporter,
};

struct FunctionStart {
    std::uint32_t instruction = 0;
    FunctionKind kind = FunctionKind::Part;
    bool operator==(const FunctionStart&) const = default;
};

struct FusedProgram {
    std::vector<bpf_insn> instructions;   // maps by index (BPF_PSEUDO_MAP_IDX)
    std::vector<FunctionStart> functions; // in ascending order; the first is the program's entry
};

// Errors: LimitExceeded (functions, length of the queue), InvalidObject (a map reference out of range).
[[nodiscard]] Result<FusedProgram> fuse(const FuseInput& input);

// A filter's instructions as a program of its own; its map indices are those of the descriptors' table.
[[nodiscard]] Result<FusedProgram> standalone(InstructionView filter, std::size_t mapCount);

} // namespace filterd
