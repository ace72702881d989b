// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds out how a loaded filter can take part in a queue, by asking the kernel rather than its version.

#include "core/ebpf/fuse.hpp"
#include "edge/bpf/filters/filter_record.hpp"
#include "edge/bpf/programs/program_loader.hpp"
#include "ports/ports.hpp"

#include <vector>

namespace filterd::bpf {

// Descriptors that a program's map indices refer to.
class MapTable {
  public:
    [[nodiscard]] std::uint32_t add(int fd) {
        fds_.push_back(fd);
        return static_cast<std::uint32_t>(fds_.size() - 1);
    }
    [[nodiscard]] std::span<const int> view() const { return fds_; }

  private:
    std::vector<int> fds_;
};

struct Inspection {
    Fusing fusing = Fusing::Function;
    std::string reason;
    bool congestion = false;
    std::uint32_t verifiedInstructions = 0;
};

[[nodiscard]] Inspection inspect(const FilterProgram& filter, ProgramLoader& loader, int counterMap);

// Returns whether a map is of cgroup local storage, of which a link has only those of its first program.
[[nodiscard]] bool isAttachmentStorage(std::uint32_t mapType);

inline constexpr std::string_view kGplLicense = "GPL";

} // namespace filterd::bpf
