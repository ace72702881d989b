// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/ebpf/filter_code.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace filterd {

namespace {

constexpr std::uint8_t kFirstSaved = BPF_REG_6; // a call preserves r6 to r9
constexpr std::uint8_t kLastSaved = BPF_REG_9;
constexpr std::uint8_t kJump = BPF_JMP | BPF_JA;

bool isJumpClass(const bpf_insn& insn) {
    return BPF_CLASS(insn.code) == BPF_JMP || BPF_CLASS(insn.code) == BPF_JMP32;
}

bool leaves(const bpf_insn& insn) { return insn.code == (BPF_JMP | BPF_EXIT); }

// Functions of its own belong to a function, what a tail call returns to is the caller of a function, and
// packet loads of the old kind leave it by themselves. What is not known is not touched.
bool canStandWithin(const bpf_insn& insn) {
    if (BPF_CLASS(insn.code) == BPF_LD)
        return insn.code == kLoadWide && insn.src_reg != BPF_PSEUDO_FUNC;
    if (!isJumpClass(insn))
        return true;
    switch (BPF_OP(insn.code)) {
    case BPF_CALL:
        return insn.code == kCall && insn.src_reg != BPF_PSEUDO_CALL &&
               (insn.src_reg != 0 || insn.imm != BPF_FUNC_tail_call);
    case BPF_EXIT:
        return leaves(insn);
    case BPF_JA:
        return BPF_SRC(insn.code) == BPF_K;
    default:
        return true;
    }
}

// Returns whether the field holds a register and no kind of call or constant.
bool readsSource(const bpf_insn& insn) {
    switch (BPF_CLASS(insn.code)) {
    case BPF_LDX:
    case BPF_STX:
        return true;
    case BPF_LD:
    case BPF_ST:
        return false;
    default:
        return BPF_SRC(insn.code) == BPF_X;
    }
}

bool isSaved(std::uint8_t reg) { return reg >= kFirstSaved && reg <= kLastSaved; }

// Every saved register of the filter gets one of those given.
class Renaming {
  public:
    explicit Renaming(std::span<const std::uint8_t> registers) : registers_(registers) {}

    // False when there are not enough.
    bool apply(bpf_insn& insn) {
        const std::uint8_t target = nameOf(insn.dst_reg);
        const std::uint8_t source = readsSource(insn) ? nameOf(insn.src_reg) : insn.src_reg;
        insn.dst_reg = target & 0xf;
        insn.src_reg = source & 0xf;
        return given_ <= registers_.size();
    }

  private:
    std::uint8_t nameOf(std::uint8_t reg) {
        if (!isSaved(reg))
            return reg;
        auto& name = names_[reg - kFirstSaved];
        if (name == 0 && ++given_ <= registers_.size())
            name = registers_[given_ - 1];
        return name;
    }

    std::span<const std::uint8_t> registers_;
    std::size_t given_ = 0;
    std::array<std::uint8_t, kLastSaved - kFirstSaved + 1> names_{};
};

} // namespace

std::vector<bpf_insn> inlined(InstructionView filter, std::span<const std::uint8_t> registers) {
    if (filter.empty() || filter.size() > std::numeric_limits<std::int16_t>::max())
        return {};
    std::vector<bpf_insn> code(filter.begin(), filter.end());
    const std::size_t end = leaves(code.back()) ? code.size() - 1 : code.size();
    Renaming renaming(registers);
    for (std::size_t i = 0; i < code.size(); ++i) {
        bpf_insn& insn = code[i];
        if (!canStandWithin(insn) || !renaming.apply(insn))
            return {};
        if (leaves(insn)) {
            insn.code = kJump;
            insn.off = static_cast<std::int16_t>(static_cast<std::ptrdiff_t>(end) -
                                                 static_cast<std::ptrdiff_t>(i) - 1);
        }
        if (insn.code == kLoadWide)
            ++i;
    }
    code.resize(end);
    return code;
}

} // namespace filterd
