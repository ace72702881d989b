// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "rule_machine.hpp"

#include <arpa/inet.h>

namespace filterd::fuzz {

namespace {

constexpr std::uint8_t kWide = BPF_LD | BPF_IMM | BPF_DW;
constexpr std::size_t kMostSteps = 1'000'000;

} // namespace

RuleMachine::End RuleMachine::run() {
    registers_[1] = kContextBase;
    registers_[10] = kStackEnd;
    known_[1] = known_[10] = true;
    for (std::size_t steps = 0;; ++steps) {
        require(at_ < program_.size() && steps < kMostSteps, "a program ends");
        const auto& insn = program_[at_++];
        if (insn.code == (BPF_JMP | BPF_EXIT))
            break;
        step(insn);
    }
    require(known_[0], "a program returns something");
    require(counter_ == packet::RuleCounter{1, packet_.bytes.size()}, "one rule counts the packet");
    return {registers_[0], looked_};
}

void RuleMachine::step(const bpf_insn& insn) {
    switch (BPF_CLASS(insn.code)) {
    case BPF_ALU:
    case BPF_ALU64:
        compute(insn);
        break;
    case BPF_LD:
        require(insn.code == kWide && insn.src_reg == BPF_PSEUDO_MAP_FD && insn.imm == 0, "the map is there");
        registers_[insn.dst_reg] = kMap;
        known_[insn.dst_reg] = true;
        ++at_;
        break;
    case BPF_LDX:
        load(insn);
        break;
    case BPF_STX:
        store(insn);
        break;
    default: // jumps of both kinds
        if (insn.code == (BPF_JMP | BPF_CALL))
            call(insn.imm);
        else if (jumps(insn))
            at_ += static_cast<std::size_t>(insn.off);
        require(insn.off >= 0, "no program loops");
    }
}

void RuleMachine::compute(const bpf_insn& insn) {
    if (BPF_OP(insn.code) == BPF_END) {
        swap(insn);
        return;
    }
    const bool isWide = BPF_CLASS(insn.code) == BPF_ALU64;
    const bool isMove = BPF_OP(insn.code) == BPF_MOV;
    require(BPF_SRC(insn.code) == BPF_K || known_[insn.src_reg], "a register holds something");
    require(isMove || known_[insn.dst_reg], "a register holds something");
    std::uint64_t right = BPF_SRC(insn.code) == BPF_X
                              ? registers_[insn.src_reg]
                              : static_cast<std::uint64_t>(static_cast<std::int64_t>(insn.imm));
    std::uint64_t left = registers_[insn.dst_reg];
    if (!isWide) {
        left = static_cast<std::uint32_t>(left);
        right = static_cast<std::uint32_t>(right);
    }
    const std::uint64_t bits = isWide ? 63 : 31;
    std::uint64_t result = right;
    switch (BPF_OP(insn.code)) {
    case BPF_ADD:
        result = left + right;
        break;
    case BPF_SUB:
        result = left - right;
        break;
    case BPF_MUL:
        result = left * right;
        break;
    case BPF_DIV:
        result = right == 0 ? 0 : left / right;
        break;
    case BPF_MOD:
        result = right == 0 ? left : left % right;
        break;
    case BPF_AND:
        result = left & right;
        break;
    case BPF_OR:
        result = left | right;
        break;
    case BPF_XOR:
        result = left ^ right;
        break;
    case BPF_LSH:
        result = left << (right & bits);
        break;
    case BPF_RSH:
        result = left >> (right & bits);
        break;
    case BPF_MOV:
        break;
    default:
        require(false, "an operation is known");
    }
    registers_[insn.dst_reg] = isWide ? result : static_cast<std::uint32_t>(result);
    known_[insn.dst_reg] = true;
}

void RuleMachine::swap(const bpf_insn& insn) {
    require(known_[insn.dst_reg], "a register holds something");
    auto& value = registers_[insn.dst_reg];
    value =
        insn.imm == 16 ? ntohs(static_cast<std::uint16_t>(value)) : ntohl(static_cast<std::uint32_t>(value));
}

bool RuleMachine::jumps(const bpf_insn& insn) const {
    if (BPF_OP(insn.code) == BPF_JA)
        return true;
    require(known_[insn.dst_reg] && (BPF_SRC(insn.code) == BPF_K || known_[insn.src_reg]),
            "a register holds something");
    std::uint64_t right = BPF_SRC(insn.code) == BPF_X
                              ? registers_[insn.src_reg]
                              : static_cast<std::uint64_t>(static_cast<std::int64_t>(insn.imm));
    std::uint64_t left = registers_[insn.dst_reg];
    if (BPF_CLASS(insn.code) == BPF_JMP32) {
        left = static_cast<std::uint32_t>(left);
        right = static_cast<std::uint32_t>(right);
    }
    switch (BPF_OP(insn.code)) {
    case BPF_JEQ:
        return left == right;
    case BPF_JNE:
        return left != right;
    case BPF_JGT:
        return left > right;
    case BPF_JGE:
        return left >= right;
    case BPF_JLT:
        return left < right;
    case BPF_JLE:
        return left <= right;
    case BPF_JSET:
        return (left & right) != 0;
    case BPF_JSLT:
        return static_cast<std::int64_t>(left) < static_cast<std::int64_t>(right);
    default:
        require(false, "a comparison is known");
        return false;
    }
}

std::size_t RuleMachine::sizeOf(const bpf_insn& insn) {
    switch (BPF_SIZE(insn.code)) {
    case BPF_B:
        return 1;
    case BPF_H:
        return 2;
    case BPF_W:
        return 4;
    default:
        return 8;
    }
}

std::uint8_t* RuleMachine::stackAt(std::uint64_t address, std::size_t size) {
    if (address < kStackEnd - kStack || address > kStackEnd - size)
        return nullptr;
    return stack_.data() + (address - (kStackEnd - kStack));
}

void RuleMachine::load(const bpf_insn& insn) {
    require(known_[insn.src_reg], "a register holds something");
    const std::size_t size = sizeOf(insn);
    const std::uint64_t address = registers_[insn.src_reg] + static_cast<std::uint64_t>(insn.off);
    auto& target = registers_[insn.dst_reg];
    known_[insn.dst_reg] = true;
    target = 0;
    if (const auto* place = stackAt(address, size)) {
        for (std::size_t i = 0; i < size; ++i)
            require(written_[static_cast<std::size_t>(place - stack_.data()) + i], "the stack was written");
        require(address % size == 0, "the stack is aligned");
        std::memcpy(&target, place, size);
    } else if (address >= kPacketBase && address + size <= kPacketBase + direct_) {
        std::memcpy(&target, packet_.bytes.data() + (address - kPacketBase), size);
    } else if (address >= kCounterBase && address + size <= kCounterBase + sizeof counter_) {
        std::memcpy(&target, reinterpret_cast<const char*>(&counter_) + (address - kCounterBase), size);
    } else {
        loadContext(insn, address);
    }
}

void RuleMachine::loadContext(const bpf_insn& insn, std::uint64_t address) {
    require(BPF_SIZE(insn.code) == BPF_W, "the context is read in words");
    auto& target = registers_[insn.dst_reg];
    switch (address - kContextBase) {
    case offsetof(__sk_buff, len):
        target = packet_.bytes.size();
        break;
    case offsetof(__sk_buff, protocol):
        target = htons(packet_.etherType);
        break;
    case offsetof(__sk_buff, data):
        target = kPacketBase;
        break;
    case offsetof(__sk_buff, data_end):
        target = kPacketBase + direct_;
        break;
    default:
        require(false, "memory is read where it is");
    }
}

void RuleMachine::store(const bpf_insn& insn) {
    require(BPF_MODE(insn.code) == BPF_MEM && known_[insn.src_reg] && known_[insn.dst_reg],
            "a register holds something");
    const std::size_t size = sizeOf(insn);
    const std::uint64_t address = registers_[insn.dst_reg] + static_cast<std::uint64_t>(insn.off);
    if (auto* place = stackAt(address, size)) {
        std::memcpy(place, &registers_[insn.src_reg], size);
        std::fill_n(written_.begin() + (place - stack_.data()), size, true);
        return;
    }
    require(address >= kCounterBase && address + size <= kCounterBase + sizeof counter_,
            "memory is written where it is");
    std::memcpy(reinterpret_cast<char*>(&counter_) + (address - kCounterBase), &registers_[insn.src_reg],
                size);
}

void RuleMachine::call(std::int32_t helper) {
    if (helper == BPF_FUNC_skb_load_bytes)
        loadBytes();
    else if (helper == BPF_FUNC_map_lookup_elem)
        lookUp();
    else
        require(false, "a helper is known");
    for (std::size_t i = 1; i <= 5; ++i)
        known_[i] = false;
    known_[0] = true;
}

// As the kernel's: what cannot be copied becomes zero.
void RuleMachine::loadBytes() {
    const auto offset = static_cast<std::uint32_t>(registers_[2]);
    const auto size = static_cast<std::uint32_t>(registers_[4]);
    auto* place = stackAt(registers_[3], size);
    require(registers_[1] == kContextBase && place != nullptr && size > 0 && known_[2] && known_[4],
            "bytes are copied to the stack");
    std::fill_n(written_.begin() + (place - stack_.data()), size, true);
    const bool fits = offset <= 0x7fffffffU && std::uint64_t{offset} + size <= packet_.bytes.size();
    if (fits)
        std::memcpy(place, packet_.bytes.data() + offset, size);
    else
        std::memset(place, 0, size);
    registers_[0] = fits ? 0 : static_cast<std::uint64_t>(-14); // EFAULT
}

void RuleMachine::lookUp() {
    const auto* key = stackAt(registers_[2], sizeof looked_);
    require(registers_[1] == kMap && key != nullptr, "the map is asked");
    std::memcpy(&looked_, key, sizeof looked_);
    registers_[0] = kCounterBase;
}

} // namespace filterd::fuzz
