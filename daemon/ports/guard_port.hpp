// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Declares what the application needs from the guard: units are filtered from their first packet on (I1), and
// how a hold ends.
//
// A hold's life: the kernel makes it inside mkdir; the daemon finds it in held(), attaches the unit's queues,
// starts a grace period, and releases the hold when that period is over. A hold whose directory is gone is
// left alone: the kernel ends it with the cgroup's last socket.

#include "base/result.hpp"
#include "core/model/glob.hpp"
#include "core/model/model.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// The features of this kernel that the guard needs. Without all of it there is none, and filterd works by
// signals.
struct GuardSupport {
    bool btf = true;         // the kernel describes its types
    bool tracepoints = true; // programs can run inside mkdir and at a cgroup's end
    bool tailCalls = true;   // the gate can run a queue and get the packet back
    std::string reason;      // empty when complete

    [[nodiscard]] bool complete() const { return btf && tracepoints && tailCalls; }
};

// Where the guard finds the interim programs of one rule's two queues.
struct QueueSlot {
    std::uint32_t value = 0;
    auto operator<=>(const QueueSlot&) const = default;
};

struct GuardRule {
    Glob glob;
    std::optional<QueueSlot> slot; // none: what matches is not guarded
    bool ofUser = false;           // matches units of users' managers alone, with the manager before the name
};

struct Hold {
    CgroupId cgroup;
    QueueSlot slot;
    // Not zero: the cgroup of a user's manager, which is cut off: so many of its units are not held, because
    // it has had too many held at once.
    std::uint64_t unheldUnits = 0;
    std::uint64_t madeAt = 0; // nanoseconds of CLOCK_MONOTONIC; 0: not known
    bool operator==(const Hold&) const = default;
};

// More units were held at once than fit. Those that did not fit are cut off until endOverflow().
struct GuardOverflow {
    std::uint64_t unheldUnits = 0;
    std::uint64_t lastUnheld = 0;
};

struct GuardEvents {
    std::vector<CgroupId> held;     // made, and held unless they did not fit
    std::vector<CgroupId> released; // gone for good: links of theirs can be collected
    bool isIncomplete = false;      // some may be missing: look at everything
};

struct GuardCounters {
    std::uint64_t held = 0;          // holds now, unheld units included
    std::uint64_t interimRuns = 0;   // packets judged through the gate
    std::uint64_t missingQueues = 0; // packets dropped because a slot held no program
    std::uint64_t overflowDrops = 0; // packets dropped in overflow
};

// Grace periods are numbered as they are asked for. All up to a finished one are over.
using GraceTicket = std::uint64_t;

class GuardPort {
  public:
    virtual ~GuardPort() = default;

    // ---- queues. An interim program ends in a tail call to slot 0 of queueArray() (see bpf/guard.h).
    [[nodiscard]] virtual int queueArray(Direction direction) const = 0;

    // A slot that no rule, no hold and no other owner refers to, holding (dropping) in both directions.
    [[nodiscard]] virtual Result<QueueSlot> allocateSlot() = 0;
    // To be called after the rules that used it are replaced. It is emptied when no hold refers to it any
    // more.
    virtual Status freeSlot(QueueSlot slot) = 0;

    [[nodiscard]] virtual Status setQueueProgram(QueueSlot slot, Direction direction, int interimProgram) = 0;
    [[nodiscard]] virtual Status setQueuePass(QueueSlot slot, Direction direction) = 0; // an empty queue
    [[nodiscard]] virtual Status setQueueHold(QueueSlot slot, Direction direction) = 0; // drops everything

    // ---- rules, in order; the first match decides. They change at once, or (error) not at all (I2).
    // The kernel runs programs of the guard only while there is a rule (I7). With the first rule, attach;
    // with none, forget every hold. A unit made after the return is held by the new rules: scan the tree
    // then.
    [[nodiscard]] virtual Status setRules(const std::vector<GuardRule>& rules) = 0;

    // ---- holds
    // Every cgroup named here was visible in cgroupfs when this returned, unless it is gone again.
    [[nodiscard]] virtual Result<std::vector<Hold>> held() = 0;
    // Those of the cgroups that are held.
    [[nodiscard]] virtual Result<std::vector<Hold>> held(const std::vector<CgroupId>& cgroups) = 0;
    // After the unit's queues are attached and a grace period begun after that has ended. False: it was not
    // held.
    [[nodiscard]] virtual Result<bool> release(CgroupId cgroup) = 0;

    // Ends the hold of a manager that was cut off, as release() does, after all of its units were attached.
    // Returns false if more were made since that are not held; look at held() and its units again.
    [[nodiscard]] virtual Result<bool> endCutOff(const Hold& manager) = 0;

    // In overflow: read it, walk the tree and attach every guarded unit, wait for a grace period, end it.
    [[nodiscard]] virtual Result<std::optional<GuardOverflow>> overflow() = 0;
    [[nodiscard]] virtual Status endOverflow(const GuardOverflow& seen) = 0;

    // ---- the event loop: two descriptors to poll for reading
    [[nodiscard]] virtual int eventsFd() const = 0;
    [[nodiscard]] virtual GuardEvents takeEvents() = 0;

    // Every packet whose programs were chosen before this call has been judged when the ticket is finished.
    [[nodiscard]] virtual Result<GraceTicket> startGrace() = 0;
    [[nodiscard]] virtual int graceFd() const = 0;
    [[nodiscard]] virtual GraceTicket finishedGrace() = 0;

    // Removes what an older or damaged guard left, once its units are attached and a grace period has passed.
    [[nodiscard]] virtual bool hasPredecessor() const = 0;
    [[nodiscard]] virtual Status retirePredecessor() = 0;

    [[nodiscard]] virtual GuardCounters counters() const = 0;
};

} // namespace filterd
