// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Writes eBPF instructions with jumps to labels.

#include "base/result.hpp"

#include <cstdint>
#include <linux/bpf.h>
#include <vector>

namespace filterd::packet {

struct Label {
    std::uint32_t index = 0;
};

class Assembler {
  public:
    [[nodiscard]] Label label();
    void place(Label label);
    // Returns whether a jump leads there, so far.
    [[nodiscard]] bool isTarget(Label label) const { return targets_[label.index]; }

    void move(std::uint8_t target, std::uint8_t source);
    void set(std::uint8_t target, std::uint32_t value);
    // On 32 bits; the upper half becomes 0.
    void compute(std::uint8_t operation, std::uint8_t target, std::uint32_t value);
    void computeWith(std::uint8_t operation, std::uint8_t target, std::uint8_t source);
    void add64(std::uint8_t target, std::int32_t value);
    void addWith64(std::uint8_t target, std::uint8_t source);
    void toHostOrder(std::uint8_t target, std::uint8_t bytes);
    void load(std::uint8_t size, std::uint8_t target, std::uint8_t base, std::int32_t offset);
    void store(std::uint8_t size, std::uint8_t base, std::int32_t offset, std::uint8_t source);
    void addAtomically(std::uint8_t base, std::int32_t offset, std::uint8_t source); // 64 bits
    void loadMap(std::uint8_t target, std::int32_t index);
    void loadGlobals(std::uint8_t target); // the address of the values of map 0
    void callHelper(std::int32_t helper);
    void exit();

    void jump(Label to);
    // On 32 bits, unsigned.
    void jumpIf(std::uint8_t comparison, std::uint8_t left, std::uint32_t right, Label to);
    // On 64 bits, unsigned: also for pointers.
    void jumpIfWith(std::uint8_t comparison, std::uint8_t left, std::uint8_t right, Label to);
    // Signed, for what helpers return.
    void jumpIfNegative(std::uint8_t left, Label to);
    void jumpIfNull(std::uint8_t pointer, Label to);

    // Returns whether finish() is going to fail: so much has been written that no jump from its first half
    // reaches the end.
    [[nodiscard]] bool isTooLong() const;
    // Errors: LimitExceeded when a jump is too far.
    [[nodiscard]] Result<std::vector<bpf_insn>> finish();

  private:
    void emit(std::uint8_t code, std::uint8_t target, std::uint8_t source, std::int32_t offset,
              std::uint32_t immediate);
    void emitJump(std::uint8_t code, std::uint8_t left, std::uint8_t right, std::uint32_t immediate,
                  Label to);

    struct Jump {
        std::size_t instruction;
        std::uint32_t label;
    };
    std::vector<bpf_insn> instructions_;
    std::vector<std::size_t> labels_;
    std::vector<bool> targets_;
    std::vector<Jump> jumps_;
};

} // namespace filterd::packet
