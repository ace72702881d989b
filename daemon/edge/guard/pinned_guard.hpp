// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The guard behind the pins of its layout's directory.

#include "base/unique_fd.hpp"
#include "bpf/guard.h"
#include "edge/guard/grace_period.hpp"
#include "edge/guard/guard_state.hpp"
#include "edge/guard/held_map.hpp"
#include "edge/guard/pins/guard_pins.hpp"
#include "edge/guard/slot_table.hpp"
#include "ports/guard_port.hpp"

#include <bpf/libbpf.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace filterd {

// The names of a direction's parts.
[[nodiscard]] const char* queueArrayOf(Direction direction);
[[nodiscard]] const char* gateOf(Direction direction);
[[nodiscard]] const char* passOf(Direction direction);

struct FreeRingBuffer {
    void operator()(ring_buffer* buffer) const { ring_buffer__free(buffer); }
};
using RingBufferPtr = std::unique_ptr<ring_buffer, FreeRingBuffer>;

class PinnedGuard final : public GuardPort {
  public:
    PinnedGuard(std::filesystem::path bpffs, UniqueFd root)
        : bpffs_(std::move(bpffs)), root_(std::move(root)) {}

    // Opens the pins and starts the helper for grace periods.
    Status open();

    int queueArray(Direction direction) const override { return pin(queueArrayOf(direction)); }
    Result<QueueSlot> allocateSlot() override { return slots_.allocate(); }
    Status freeSlot(QueueSlot slot) override;
    Status setQueueProgram(QueueSlot slot, Direction direction, int interimProgram) override;
    Status setQueuePass(QueueSlot slot, Direction direction) override;
    Status setQueueHold(QueueSlot slot, Direction direction) override;
    Status setRules(const std::vector<GuardRule>& rules) override;
    Result<std::vector<Hold>> held() override;
    Result<std::vector<Hold>> held(const std::vector<CgroupId>& cgroups) override;
    Result<bool> release(CgroupId cgroup) override;
    Result<bool> endCutOff(const Hold& manager) override;
    Result<std::optional<GuardOverflow>> overflow() override;
    Status endOverflow(const GuardOverflow& seen) override;
    int eventsFd() const override { return ring_buffer__epoll_fd(events_.get()); }
    GuardEvents takeEvents() override;
    Result<GraceTicket> startGrace() override { return grace_->start(); }
    int graceFd() const override { return grace_->fd(); }
    GraceTicket finishedGrace() override;
    bool hasPredecessor() const override;
    Status retirePredecessor() override;
    GuardCounters counters() const override;

  private:
    [[nodiscard]] std::filesystem::path directory() const { return layoutDirectory(bpffs_, GUARD_LAYOUT); }
    [[nodiscard]] int pin(std::string_view name) const { return pins_.find(name)->second.get(); }

    Status checkSlot(QueueSlot slot) const;
    Status fillSlot(QueueSlot slot, Direction direction, int program);
    void findFilledSlots();
    Result<std::set<QueueSlot>> referencedSlots();
    void emptyUnusedSlots();
    Status dropRules();
    Status replaceRules(const std::vector<GuardRule>& rules);
    Status writeRules(std::uint32_t half, const std::vector<GuardRule>& rules);
    Status forgetHolds();
    Status attach();
    Status attachLink(const GuardLink& link);
    [[nodiscard]] HeldMap heldMap() const { return {pin("held"), pin("managers")}; }
    Result<std::vector<Hold>> whenVisible(Result<std::vector<Hold>> holds) const;
    Result<int> runRelease(guard_release argument) const;
    Status waitForMkdirs() const;
    static int onEvent(void* events, void* data, std::size_t size);

    std::filesystem::path bpffs_;
    UniqueFd root_;
    std::map<std::string, UniqueFd, std::less<>> pins_;
    GuardStatePtr state_;
    RingBufferPtr events_;
    GuardEvents collected_;
    std::optional<GracePeriod> grace_;
    SlotTable slots_{GUARD_QUEUES_MAX};
    GraceTicket slotsGivenUp_ = 0; // the grace period after which given-up slots can be emptied
};

} // namespace filterd
