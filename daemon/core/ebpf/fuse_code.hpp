// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The instructions of a fused program, one after the other.

#include "core/ebpf/filter_code.hpp"
#include "core/ebpf/fuse.hpp"

namespace filterd {

class FuseCode {
  protected:
    std::size_t here() const { return program_.instructions.size(); }

    void emit(std::uint8_t code, std::uint8_t target, std::uint8_t source = 0, std::int16_t offset = 0,
              std::int32_t immediate = 0) {
        program_.instructions.push_back(fuseInstruction(code, target, source, offset, immediate));
    }
    void move(std::uint8_t target, std::uint8_t source) { emit(kMove | BPF_X, target, source); }
    void set(std::uint8_t target, std::int32_t value) { emit(kMove | BPF_K, target, 0, 0, value); }
    void compute(std::uint8_t operation, std::uint8_t target, std::int32_t value) {
        emit(BPF_ALU64 | BPF_K | operation, target, 0, 0, value);
    }
    void merge(std::uint8_t target, std::uint8_t source) { emit(BPF_ALU64 | BPF_X | BPF_OR, target, source); }
    void load(std::uint8_t size, std::uint8_t target, std::uint8_t base, std::int16_t offset) {
        emit(BPF_LDX | BPF_MEM | size, target, base, offset);
    }
    // Not BPF_ST: kernels before 6.4 refuse it on the context.
    void store(std::uint8_t size, std::uint8_t base, std::int16_t offset, std::uint8_t source) {
        emit(BPF_STX | BPF_MEM | size, base, source, offset);
    }
    void loadMap(std::uint8_t target, std::uint32_t index) {
        emit(kLoadWide, target, BPF_PSEUDO_MAP_IDX, 0, static_cast<std::int32_t>(index));
        emit(0, 0);
    }
    void callHelper(std::int32_t helper) { emit(kCall, 0, 0, 0, helper); }
    void exit() { emit(BPF_JMP | BPF_EXIT, 0); }

    std::size_t jump(std::uint8_t operation, std::uint8_t target = 0) {
        emit(BPF_JMP | BPF_K | operation, target);
        return here() - 1;
    }
    void land(std::size_t from) {
        program_.instructions[from].off = static_cast<std::int16_t>(here() - from - 1);
    }

    FusedProgram program_;

  private:
    static constexpr std::uint8_t kMove = BPF_ALU64 | BPF_MOV;

    static bpf_insn fuseInstruction(std::uint8_t code, std::uint8_t target, std::uint8_t source,
                                    std::int16_t offset, std::int32_t immediate) {
        bpf_insn result{};
        result.code = code;
        result.dst_reg = target & 0xf;
        result.src_reg = source & 0xf;
        result.off = offset;
        result.imm = immediate;
        return result;
    }
};

} // namespace filterd
