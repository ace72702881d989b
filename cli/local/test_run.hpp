// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Runs pinned filters on packets of ours, in the kernel but on no wire (BPF_PROG_TEST_RUN).

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/model/model.hpp"
#include "core/packet/capture.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

namespace filterd::bpf {

// Kernels build the packet in one page, beside what they need themselves; so much they all take.
inline constexpr std::size_t kAlwaysTaken = 3000;

// The filters of one queue, in order: as in a fused queue the first drop wins, and the rest does not run.
// What a filter writes into a packet's mark, priority or time, those behind it read.
//
// The programs and their maps are those that units use: what a filter counts and remembers of these packets,
// it counts and remembers beside the packets of units.
class TestQueue {
  public:
    // Errors: NoSuchFilter, WrongProgramType, KernelRefused.
    [[nodiscard]] static Result<TestQueue> open(const std::vector<std::filesystem::path>& pins);

    // The index of the filter that drops the packet; nothing if it passes. Errors: LimitExceeded (larger than
    // the kernel runs programs on), KernelRefused.
    [[nodiscard]] Result<std::optional<std::size_t>> judge(const packet::IpPacket& packet,
                                                           Direction direction) const;

  private:
    explicit TestQueue(std::vector<UniqueFd> programs) : programs_(std::move(programs)) {}

    std::vector<UniqueFd> programs_;
};

} // namespace filterd::bpf
