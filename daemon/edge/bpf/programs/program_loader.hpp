// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Loads programs that filterd builds from instructions: fused queues, and filters rebuilt without their
// object.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/ebpf/fuse.hpp"

#include <array>
#include <span>
#include <string>

namespace filterd::bpf {

struct ProgramText {
    std::string name; // the kernel keeps 15 bytes of it
    std::string license;
    Direction type = Direction::Ingress; // an ingress program that returns 0 or 1 serves both directions
    const FusedProgram& program;
    std::span<const int> maps; // descriptors, by the instructions' indices
    std::uint32_t work = 0;    // instructions that the verifier is to follow, about; 0: not known
};

class ProgramLoader {
  public:
    // Errors: VerifierRejected with the log's end, LimitExceeded, KernelRefused.
    [[nodiscard]] Result<UniqueFd> load(const ProgramText& text);

  private:
    // Type information that gives every function of any fused program a linkage and a signature.
    struct Signatures {
        UniqueFd fd;
        std::array<std::uint32_t, 3> byKind{};
    };
    Status prepareSignatures();

    Signatures signatures_;
};

} // namespace filterd::bpf
