// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds out what a filter's instructions tell without the kernel.

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <linux/bpf.h>
#include <span>
#include <vector>

namespace filterd {

using InstructionView = std::span<const bpf_insn>;

// Takes two instructions. NOLINTNEXTLINE(misc-redundant-expression): two of the three names mean 0.
inline constexpr std::uint8_t kLoadWide = BPF_LD | BPF_DW | BPF_IMM;
inline constexpr std::uint8_t kCall = BPF_JMP | BPF_CALL;
inline constexpr std::int16_t kCb = offsetof(__sk_buff, cb);

// The traits that decide how a filter can be fused.
struct FilterTraits {
    std::size_t functions = 1;
    std::vector<std::uint32_t> maps;       // those it refers to, ascending
    std::vector<std::int32_t> kernelCalls; // BTF ids of the kernel functions it calls
    bool tailCalls = false;                // what a callee returns was never compared with the filter's type
    bool readsCb = false;                  // may read skb->cb
    bool writesCb = false;                 // may write it
    bool refersToModules = false;          // holds descriptors of kernel modules' BTF: cannot be rebuilt
};

[[nodiscard]] FilterTraits examine(InstructionView filter);

// Where the filter's own functions begin, without its entry; callbacks included.
[[nodiscard]] std::vector<std::uint32_t> functionStarts(InstructionView filter);

// Appends a filter verbatim but for the maps: every other reference in it is relative.
[[nodiscard]] Status append(std::vector<bpf_insn>& program, InstructionView filter,
                            const std::vector<std::uint32_t>& maps);

// The code of a filter to stand within another function: what left the function goes on behind it, and of the
// registers that a call preserves it uses only those given. Nothing where it has to stay a function of its
// own.
[[nodiscard]] std::vector<bpf_insn> inlined(InstructionView filter, std::span<const std::uint8_t> registers);

} // namespace filterd
