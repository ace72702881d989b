// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/ebpf/assembler.hpp"

#include <limits>
#include <string>

namespace filterd::packet {

namespace {

constexpr std::uint8_t kWord = BPF_W;
constexpr std::uint8_t kDouble = 0x18; // BPF_DW

std::uint8_t widthOf(std::uint8_t bytes) {
    switch (bytes) {
    case 1:
        return BPF_B;
    case 2:
        return BPF_H;
    case 4:
        return kWord;
    default:
        return kDouble;
    }
}

} // namespace

void Assembler::emit(std::uint8_t code, std::uint8_t target, std::uint8_t source, std::int32_t offset,
                     std::uint32_t immediate) {
    bpf_insn insn{};
    insn.code = code;
    insn.dst_reg = target & 0xf;
    insn.src_reg = source & 0xf;
    insn.off = static_cast<std::int16_t>(offset);
    insn.imm = static_cast<std::int32_t>(immediate);
    instructions_.push_back(insn);
}

void Assembler::emitJump(std::uint8_t code, std::uint8_t left, std::uint8_t right, std::uint32_t immediate,
                         Label to) {
    jumps_.push_back({instructions_.size(), to.index});
    targets_[to.index] = true;
    emit(code, left, right, 0, immediate);
}

Label Assembler::label() {
    labels_.push_back(std::numeric_limits<std::size_t>::max());
    targets_.push_back(false);
    return {static_cast<std::uint32_t>(labels_.size() - 1)};
}

void Assembler::place(Label label) { labels_[label.index] = instructions_.size(); }

void Assembler::move(std::uint8_t target, std::uint8_t source) {
    if (target != source)
        emit(BPF_ALU64 | BPF_MOV | BPF_X, target, source, 0, 0);
}
void Assembler::set(std::uint8_t target, std::uint32_t value) {
    emit(BPF_ALU | BPF_MOV | BPF_K, target, 0, 0, value);
}
void Assembler::compute(std::uint8_t operation, std::uint8_t target, std::uint32_t value) {
    emit(static_cast<std::uint8_t>(BPF_ALU | BPF_K | operation), target, 0, 0, value);
}
void Assembler::computeWith(std::uint8_t operation, std::uint8_t target, std::uint8_t source) {
    emit(static_cast<std::uint8_t>(BPF_ALU | BPF_X | operation), target, source, 0, 0);
}
void Assembler::add64(std::uint8_t target, std::int32_t value) {
    // NOLINTNEXTLINE(misc-redundant-expression): BPF_ADD and BPF_K are both 0.
    emit(BPF_ALU64 | BPF_ADD | BPF_K, target, 0, 0, static_cast<std::uint32_t>(value));
}
void Assembler::addWith64(std::uint8_t target, std::uint8_t source) {
    emit(BPF_ALU64 | BPF_ADD | BPF_X, target, source, 0, 0);
}
void Assembler::toHostOrder(std::uint8_t target, std::uint8_t bytes) {
    constexpr std::uint32_t kBitsPerByte = 8;
    if (bytes > 1)
        emit(BPF_ALU | BPF_END | BPF_TO_BE, target, 0, 0, kBitsPerByte * bytes);
}
void Assembler::load(std::uint8_t size, std::uint8_t target, std::uint8_t base, std::int32_t offset) {
    emit(static_cast<std::uint8_t>(BPF_LDX | BPF_MEM | widthOf(size)), target, base, offset, 0);
}
void Assembler::store(std::uint8_t size, std::uint8_t base, std::int32_t offset, std::uint8_t source) {
    emit(static_cast<std::uint8_t>(BPF_STX | BPF_MEM | widthOf(size)), base, source, offset, 0);
}
void Assembler::addAtomically(std::uint8_t base, std::int32_t offset, std::uint8_t source) {
    emit(BPF_STX | BPF_ATOMIC | kDouble, base, source, offset, BPF_ADD);
}
void Assembler::loadMap(std::uint8_t target, std::int32_t index) {
    emit(BPF_LD | BPF_IMM | kDouble, target, BPF_PSEUDO_MAP_FD, 0, static_cast<std::uint32_t>(index));
    emit(0, 0, 0, 0, 0);
}
void Assembler::loadGlobals(std::uint8_t target) {
    emit(BPF_LD | BPF_IMM | kDouble, target, BPF_PSEUDO_MAP_VALUE, 0, 0);
    emit(0, 0, 0, 0, 0);
}
void Assembler::callHelper(std::int32_t helper) {
    emit(BPF_JMP | BPF_CALL, 0, 0, 0, static_cast<std::uint32_t>(helper));
}
void Assembler::exit() { emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

void Assembler::jump(Label to) { emitJump(BPF_JMP | BPF_JA, 0, 0, 0, to); }
void Assembler::jumpIf(std::uint8_t comparison, std::uint8_t left, std::uint32_t right, Label to) {
    emitJump(static_cast<std::uint8_t>(BPF_JMP32 | BPF_K | comparison), left, 0, right, to);
}
void Assembler::jumpIfWith(std::uint8_t comparison, std::uint8_t left, std::uint8_t right, Label to) {
    emitJump(static_cast<std::uint8_t>(BPF_JMP | BPF_X | comparison), left, right, 0, to);
}
void Assembler::jumpIfNegative(std::uint8_t left, Label to) {
    emitJump(BPF_JMP | BPF_K | BPF_JSLT, left, 0, 0, to);
}
void Assembler::jumpIfNull(std::uint8_t pointer, Label to) {
    emitJump(BPF_JMP | BPF_K | BPF_JEQ, pointer, 0, 0, to);
}

bool Assembler::isTooLong() const {
    return instructions_.size() > 2 * std::size_t{std::numeric_limits<std::int16_t>::max()};
}

Result<std::vector<bpf_insn>> Assembler::finish() {
    for (const auto& jump : jumps_) {
        const auto distance =
            static_cast<std::int64_t>(labels_[jump.label]) - static_cast<std::int64_t>(jump.instruction) - 1;
        if (distance > std::numeric_limits<std::int16_t>::max() || distance < 0)
            return failure(ErrorCode::LimitExceeded,
                           "the rules need a program of " + std::string(isTooLong() ? "more than " : "") +
                               std::to_string(instructions_.size()) +
                               " instructions, whose jumps reach no further than 32,767; use fewer or "
                               "simpler rules, or lists in the filters port and cidr");
        instructions_[jump.instruction].off = static_cast<std::int16_t>(distance);
    }
    return std::move(instructions_);
}

} // namespace filterd::packet
