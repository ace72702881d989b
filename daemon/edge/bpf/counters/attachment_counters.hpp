// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The counters of all attachments: one map of cgroup local storage that every fused program uses, since a
// link's storage is chosen when the link is made and cannot follow it to another map. Which filter name has
// which slot is pinned beside it (I5), so that counts survive reorders, replaced filters and restarts.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/ebpf/fuse.hpp"
#include "kernel/pins.hpp"
#include "ports/ports.hpp"

#include <array>
#include <functional>
#include <string>

namespace filterd::bpf {

class AttachmentCounters {
  public:
    explicit AttachmentCounters(PinTree pins) : pins_(std::move(pins)) {}

    // Opens the pinned maps, or makes and pins them. Does nothing when they are open.
    [[nodiscard]] Status open();

    [[nodiscard]] int map() const { return counters_.get(); }
    [[nodiscard]] std::uint32_t mapId() const { return countersId_; }

    // The slot of a filter name, where it drops or where it only logs: what has passed nevertheless stays
    // told apart when the queue is changed from one to the other. A slot of a name that is not in use any
    // more is given away, zeroed, when all have been given; 0 when all are in use.
    [[nodiscard]] Result<std::uint32_t> slotOf(const FilterName& name, bool logs,
                                               const std::function<bool(const std::string&)>& inUse);

    [[nodiscard]] Result<QueueCounters> read(AttachPoint point) const;

  private:
    static constexpr std::size_t kSlots = kLastFilterSlot + 1;

    Status openCounters();
    Status openSlots();
    Status assign(std::uint32_t slot, const std::string& name);
    Status zeroSlotEverywhere(std::uint32_t slot);

    PinTree pins_;
    UniqueFd counters_;
    std::uint32_t countersId_ = 0;
    UniqueFd slots_;
    std::array<std::string, kSlots> names_;
};

} // namespace filterd::bpf
