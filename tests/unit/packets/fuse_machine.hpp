// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Runs what the fuser makes, without a kernel: registers, frames, skb->cb, one attachment's counters.

#include "core/ebpf/fuse.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

namespace filterd::test {

using Program = std::vector<bpf_insn>;

inline constexpr std::uint8_t kWide = BPF_LD | BPF_DW | BPF_IMM;
inline constexpr std::uint8_t kCallCode = BPF_JMP | BPF_CALL;
inline constexpr std::int32_t kReportHelper = BPF_FUNC_trace_printk; // stands for "r2, r3 are reported"
inline constexpr std::uint32_t kPacketLength = 1234;
inline constexpr std::int32_t kLogHelper = BPF_FUNC_ktime_get_ns; // stands for "filter r1 runs"

inline constexpr std::uint32_t kCounters = 0;
inline constexpr std::uint32_t kTailCalls = 1;
inline constexpr std::uint32_t kGate = 2;
inline constexpr std::uint32_t kFirstFree = 3;

inline bpf_insn insn(std::uint8_t code, std::uint8_t target = 0, std::uint8_t source = 0,
                     std::int16_t offset = 0, std::int32_t immediate = 0) {
    bpf_insn result{};
    result.code = code;
    result.dst_reg = target & 0xf;
    result.src_reg = source & 0xf;
    result.off = offset;
    result.imm = immediate;
    return result;
}

inline bpf_insn set(std::uint8_t target, std::int32_t value) {
    return insn(BPF_ALU64 | BPF_MOV | BPF_K, target, 0, 0, value);
}
inline bpf_insn leave() { return insn(BPF_JMP | BPF_EXIT); }

// Tells that it runs, scribbles over skb->cb, returns the verdict.
inline Program filter(std::int32_t number, std::int32_t verdict) {
    Program code{insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1), set(BPF_REG_1, number),
                 insn(kCallCode, 0, 0, 0, kLogHelper), set(BPF_REG_2, -1)};
    for (int word = 0; word < 5; ++word)
        code.push_back(
            insn(BPF_STX | BPF_MEM | BPF_W, BPF_REG_6, BPF_REG_2,
                 static_cast<std::int16_t>(offsetof(__sk_buff, cb) + static_cast<std::size_t>(word) * 4)));
    code.push_back(set(BPF_REG_0, verdict));
    code.push_back(leave());
    return code;
}

// The same, but with registers that have to survive a call, and with two ways out, the first of which it
// takes.
inline Program busyFilter(std::int32_t number, std::int32_t verdict) {
    auto code = filter(number, verdict);
    code.pop_back();
    const auto jump = [](std::uint8_t reg, std::int16_t over) {
        return insn(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, over, 77);
    };
    code.insert(code.begin(), {set(BPF_REG_8, 77), set(BPF_REG_7, 78)});
    code.insert(code.end(), {jump(BPF_REG_7, 1), jump(BPF_REG_8, 1), set(BPF_REG_0, 55), leave(),
                             set(BPF_REG_0, 66), leave()});
    return code;
}

// Spoils all that a call may spoil.
inline Program reporter() { return {insn(kCallCode, 0, 0, 0, kReportHelper), set(BPF_REG_0, 0), leave()}; }

// main: r1 = map[map]; call part; exit.  part: r0 = &callback; r0 = 1; exit.  callback: r0 = 0; exit.
inline Program withFunctions(std::int32_t map) {
    return {insn(kWide, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
            insn(0),
            insn(kCallCode, 0, BPF_PSEUDO_CALL, 0, 1),
            leave(),
            insn(kWide, BPF_REG_0, BPF_PSEUDO_FUNC, 0, 3),
            insn(0),
            set(BPF_REG_0, 1),
            leave(),
            set(BPF_REG_0, 0),
            leave()};
}

struct Outcome {
    std::uint64_t verdict = 0;
    bool atGate = false;
    std::vector<std::int32_t> ran;
    bool sawForeignCb = false;
    std::array<std::uint64_t, kCounterSlots> counts{};
    std::array<std::uint64_t, kCounterSlots> bytes{};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> reports; // program id, flags
    std::array<std::uint32_t, 5> cb{};
};

class Machine {
  public:
    explicit Machine(const FusedProgram& program) : program_(program) {}

    std::map<std::uint64_t, std::pair<std::int32_t, std::uint64_t>> tailCalls; // index: filter, verdict
    std::map<std::uint64_t, FusedProgram> groups;                              // index: a part of the queue
    bool gateIsThere = true;
    std::uint32_t gateWord = 0;

    Outcome run() {
        outcome_ = {};
        outcome_.cb[4] = gateWord;
        registers_ = {};
        registers_[1] = kContextBase;
        storage_ = {};
        outcome_.verdict = call(0);
        for (std::size_t slot = 0; slot < storage_.size(); ++slot) {
            outcome_.counts.at(slot) = storage_[slot].packets;
            outcome_.bytes.at(slot) = storage_[slot].bytes;
        }
        return outcome_;
    }

    [[nodiscard]] std::size_t steps() const { return steps_; } // instructions that ran

  private:
    static constexpr std::uint64_t kContextBase = 0x10000;
    static constexpr std::uint64_t kStorageBase = 0x20000;
    static constexpr std::uint64_t kMapBase = 0x30000;
    static constexpr std::uint64_t kRubbish = 0xdeadbeefdeadbeef;

    void* at(std::uint64_t address, std::size_t size) {
        const auto cb = kContextBase + offsetof(__sk_buff, cb);
        if (address >= cb && address + size <= cb + sizeof outcome_.cb)
            return reinterpret_cast<char*>(outcome_.cb.data()) + (address - cb);
        if (address == kContextBase + offsetof(__sk_buff, len) && size == sizeof length_)
            return &length_;
        if (address >= kStorageBase && address + size <= kStorageBase + sizeof storage_)
            return reinterpret_cast<char*>(storage_.data()) + (address - kStorageBase);
        throw std::runtime_error("memory access out of bounds");
    }

    static std::size_t sizeOf(std::uint8_t code) {
        switch (BPF_SIZE(code)) {
        case BPF_W:
            return 4;
        case BPF_DW:
            return 8;
        default:
            throw std::runtime_error("size that no fused program uses");
        }
    }

    // False: the frame has ended.
    bool helper(std::int32_t number) {
        if (number == kLogHelper) {
            outcome_.ran.push_back(static_cast<std::int32_t>(registers_[1]));
            outcome_.sawForeignCb |= outcome_.cb != std::array<std::uint32_t, 5>{};
        } else if (number == kReportHelper) {
            if (registers_[1] != kContextBase)
                throw std::runtime_error("report without the context");
            outcome_.reports.emplace_back(registers_[2], registers_[3]);
        } else if (number == BPF_FUNC_get_local_storage) {
            if (registers_[1] != kMapBase + kCounters)
                throw std::runtime_error("storage of another map");
            registers_[0] = kStorageBase;
        } else if (number == BPF_FUNC_tail_call) {
            return tailCall();
        } else {
            throw std::runtime_error("unknown helper");
        }
        for (std::size_t i = 1; i <= 5; ++i)
            registers_[i] = kRubbish;
        return true;
    }

    bool tailCall() {
        if (registers_[1] != kContextBase)
            throw std::runtime_error("tail call without the context");
        if (registers_[2] == kMapBase + kGate && registers_[3] == kGateSlot && gateIsThere) {
            outcome_.atGate = true;
            return false;
        }
        const auto group = registers_[2] == kMapBase + kTailCalls ? groups.find(registers_[3]) : groups.end();
        if (group != groups.end()) {
            runGroup(group->second);
            return false;
        }
        const auto called =
            registers_[2] == kMapBase + kTailCalls ? tailCalls.find(registers_[3]) : tailCalls.end();
        if (called == tailCalls.end()) {
            registers_[0] = kRubbish;
            return true;
        }
        outcome_.ran.push_back(called->second.first);
        outcome_.sawForeignCb |= outcome_.cb != std::array<std::uint32_t, 5>{};
        outcome_.cb.fill(~0U);
        registers_[0] = called->second.second;
        return false;
    }

    // A tail call: it has the caller's frame, whose caller gets what it returns.
    void runGroup(const FusedProgram& group) {
        Machine machine(group);
        machine.outcome_ = outcome_;
        machine.registers_[1] = kContextBase;
        const auto verdict = machine.call(0);
        outcome_ = machine.outcome_;
        registers_[0] = verdict;
    }

    void compute(const bpf_insn& i) {
        auto& target = registers_[i.dst_reg];
        const auto value = BPF_SRC(i.code) == BPF_X
                               ? registers_[i.src_reg]
                               : static_cast<std::uint64_t>(static_cast<std::int64_t>(i.imm));
        switch (BPF_OP(i.code)) {
        case BPF_MOV:
            target = value;
            break;
        case BPF_ADD:
            target += value;
            break;
        case BPF_AND:
            target &= value;
            break;
        case BPF_OR:
            target |= value;
            break;
        case BPF_LSH:
            target <<= value;
            break;
        case BPF_RSH:
            target >>= value;
            break;
        default:
            throw std::runtime_error("operation that no fused program uses");
        }
    }

    std::uint64_t call(std::size_t at) {
        const std::array saved{registers_[6], registers_[7], registers_[8], registers_[9]};
        const auto result = frame(at);
        std::copy(saved.begin(), saved.end(), registers_.begin() + 6);
        for (std::size_t i = 1; i <= 5; ++i)
            registers_[i] = kRubbish;
        return result;
    }

    void step(const bpf_insn& i, std::size_t& pc) {
        switch (BPF_CLASS(i.code)) {
        case BPF_ALU64:
            compute(i);
            break;
        case BPF_LD:
            registers_[i.dst_reg] = kMapBase + static_cast<std::uint64_t>(i.imm);
            ++pc;
            break;
        case BPF_LDX:
            registers_[i.dst_reg] = 0;
            std::memcpy(&registers_[i.dst_reg],
                        at(registers_[i.src_reg] + static_cast<std::uint64_t>(i.off), sizeOf(i.code)),
                        sizeOf(i.code));
            break;
        case BPF_STX:
            std::memcpy(at(registers_[i.dst_reg] + static_cast<std::uint64_t>(i.off), sizeOf(i.code)),
                        &registers_[i.src_reg], sizeOf(i.code));
            break;
        default:
            throw std::runtime_error("class that no fused program uses");
        }
    }

    std::uint64_t frame(std::size_t pc) {
        for (;; ++pc) {
            const bpf_insn& i = program_.instructions.at(pc);
            ++steps_;
            if (BPF_CLASS(i.code) != BPF_JMP) {
                step(i, pc);
            } else if (i.code == (BPF_JMP | BPF_EXIT)) {
                return registers_[0];
            } else if (i.code == kCallCode && i.src_reg == BPF_PSEUDO_CALL) {
                registers_[0] = call(static_cast<std::size_t>(static_cast<std::int64_t>(pc) + 1 + i.imm));
            } else if (i.code == kCallCode) {
                if (!helper(i.imm))
                    return registers_[0];
            } else if (BPF_OP(i.code) == BPF_JA ||
                       (BPF_OP(i.code) == BPF_JEQ &&
                        registers_[i.dst_reg] == static_cast<std::uint64_t>(i.imm))) {
                pc = static_cast<std::size_t>(static_cast<std::int64_t>(pc) + i.off);
            } else if (BPF_OP(i.code) != BPF_JEQ) {
                throw std::runtime_error("jump that no fused program uses");
            }
        }
    }

    const FusedProgram& program_;
    std::array<std::uint64_t, 11> registers_{};
    std::array<SlotCount, kCounterSlots> storage_{};
    std::uint32_t length_ = kPacketLength;
    std::size_t steps_ = 0;
    Outcome outcome_;
};

} // namespace filterd::test
