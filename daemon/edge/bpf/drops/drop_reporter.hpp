// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reports of dropped packets: the function that is appended to the programs of queues, and the pinned ring
// buffer that it writes into. Nothing here is needed for filtering: where the kernel takes none of it, queues
// drop without a word.

#include "core/ebpf/filter_code.hpp"
#include "kernel/pins.hpp"
#include "ports/ports.hpp"

#include <memory>
#include <string>

struct ring_buffer;

namespace filterd::bpf {

struct FreeRingBuffer {
    void operator()(ring_buffer* buffer) const;
};

class DropReporter final : public DropReports {
  public:
    DropReporter(PinTree pins, ObjectIntake& intake) : pins_(std::move(pins)), intake_(intake) {}

    // Takes the pinned maps, or makes them. What fails is logged. Does nothing the second time.
    void open();

    [[nodiscard]] bool isOpen() const { return ring_ != nullptr; }
    // A function that fuse() takes, and the maps that it refers to by their index.
    [[nodiscard]] InstructionView instructions() const { return instructions_; }
    [[nodiscard]] const std::vector<FilterMap>& maps() const { return maps_; }

    [[nodiscard]] int fd() const override;
    [[nodiscard]] Status drain(const std::function<void(const DropReport&)>& take) override;
    [[nodiscard]] Result<std::uint64_t> undelivered() override;

  private:
    Status load();
    std::vector<UniqueFd> openPins(ObjectRequest& request) const;
    Status read();
    Status pinNew(const std::vector<FilterMap>& maps, const std::vector<UniqueFd>& pinned) const;
    [[nodiscard]] int map(const char* name) const;

    PinTree pins_;
    ObjectIntake& intake_;
    std::string trouble_ = "reports of drops have not been asked for yet";
    std::vector<bpf_insn> instructions_;
    std::vector<FilterMap> maps_;
    std::unique_ptr<ring_buffer, FreeRingBuffer> ring_;
    const std::function<void(const DropReport&)>* take_ = nullptr; // while drain() runs
    std::size_t taken_ = 0;                                        // by it
};

} // namespace filterd::bpf
