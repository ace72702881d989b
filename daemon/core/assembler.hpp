#pragma once
// Writes BPF instructions with jumps to places that come later.

#include <cstddef>
#include <cstdint>
#include <linux/bpf.h>
#include <utility>
#include <vector>

namespace filterd {

class Assembler {
  public:
    enum class Place : std::size_t {};

    [[nodiscard]] Place newPlace() {
        places_.push_back(0);
        return static_cast<Place>(places_.size() - 1);
    }
    void mark(Place place) { places_[static_cast<std::size_t>(place)] = code_.size(); }

    void set(std::uint8_t to, std::int32_t value) { compute(BPF_MOV, to, value); }
    void copy(std::uint8_t to, std::uint8_t from) { emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from); }
    void compute(int operation, std::uint8_t to, std::int32_t value) {
        emit(BPF_ALU64 | BPF_K | operation, to, 0, 0, value);
    }
    void add(std::uint8_t to, std::uint8_t from) { emit(BPF_ALU64 | BPF_ADD | BPF_X, to, from); }
    // size: BPF_B, BPF_H, BPF_W or BPF_DW.
    void load(int size, std::uint8_t to, std::uint8_t base, int offset) {
        emit(BPF_LDX | BPF_MEM | size, to, base, static_cast<std::int16_t>(offset));
    }
    void loadGlobals(std::uint8_t to) {
        emit(BPF_LD | BPF_IMM | BPF_DW, to, BPF_PSEUDO_MAP_VALUE);
        emit(0, 0, 0);
    }
    void addAtomically(std::uint8_t base, int offset, std::uint8_t value) {
        emit(BPF_STX | BPF_ATOMIC | BPF_DW, base, value, static_cast<std::int16_t>(offset), BPF_ADD);
    }
    void call(int helper) { emit(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
    void leave() { emit(BPF_JMP | BPF_EXIT, 0, 0); }

    void go(Place place) { jump(BPF_JMP | BPF_JA, 0, 0, 0, place); }
    void goIf(int comparison, std::uint8_t left, std::int32_t right, Place place) {
        jump(BPF_JMP | BPF_K | comparison, left, 0, right, place);
    }
    void goIfRegister(int comparison, std::uint8_t left, std::uint8_t right, Place place) {
        jump(BPF_JMP | BPF_X | comparison, left, right, 0, place);
    }

    [[nodiscard]] std::vector<bpf_insn> finish() {
        for (const auto& [at, place] : jumps_)
            code_[at].off = static_cast<std::int16_t>(places_[static_cast<std::size_t>(place)] - at - 1);
        return std::move(code_);
    }

  private:
    void emit(int code, std::uint8_t to, std::uint8_t from, std::int16_t offset = 0, std::int32_t value = 0) {
        bpf_insn insn{};
        insn.code = static_cast<__u8>(code);
        insn.dst_reg = static_cast<__u8>(to & 0xf);
        insn.src_reg = static_cast<__u8>(from & 0xf);
        insn.off = offset;
        insn.imm = value;
        code_.push_back(insn);
    }
    void jump(int code, std::uint8_t left, std::uint8_t right, std::int32_t value, Place place) {
        jumps_.emplace_back(code_.size(), place);
        emit(code, left, right, 0, value);
    }

    std::vector<bpf_insn> code_;
    std::vector<std::size_t> places_;
    std::vector<std::pair<std::size_t, Place>> jumps_;
};

} // namespace filterd
