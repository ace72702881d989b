// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Runs what packet rules become, without a kernel: registers, a stack, a packet of which a part lies in
// direct reach, one map of counters. What the verifier would refuse ends the process.

#include "fuzz.hpp"
#include "tests/kernel/packets/packet_model.hpp"

#include <array>
#include <cstring>
#include <linux/bpf.h>
#include <span>

namespace filterd::fuzz {

class RuleMachine {
  public:
    // `direct`: how many bytes of the packet are in direct reach.
    RuleMachine(std::span<const bpf_insn> program, const test::Packet& packet, std::size_t direct)
        : program_(program), packet_(packet), direct_(std::min(direct, packet.bytes.size())) {}

    struct End {
        std::uint64_t verdict = 0;
        std::uint32_t by = 0; // the entry of the map that was counted in
    };

    End run();

  private:
    static constexpr std::uint64_t kContextBase = 0x1000'0000;
    static constexpr std::uint64_t kPacketBase = 0x2000'0000;
    static constexpr std::uint64_t kCounterBase = 0x3000'0000;
    static constexpr std::uint64_t kStackEnd = 0x4000'0000;
    static constexpr std::uint64_t kMap = 0x5000'0000;
    static constexpr std::size_t kStack = 512;

    void step(const bpf_insn& insn);
    void compute(const bpf_insn& insn);
    void swap(const bpf_insn& insn);
    [[nodiscard]] bool jumps(const bpf_insn& insn) const;
    void load(const bpf_insn& insn);
    void store(const bpf_insn& insn);
    void loadContext(const bpf_insn& insn, std::uint64_t address);
    void call(std::int32_t helper);
    void loadBytes();
    void lookUp();
    std::uint8_t* stackAt(std::uint64_t address, std::size_t size);
    [[nodiscard]] static std::size_t sizeOf(const bpf_insn& insn);

    std::span<const bpf_insn> program_;
    const test::Packet& packet_;
    std::size_t direct_;
    std::size_t at_ = 0;
    std::array<std::uint64_t, 11> registers_{};
    std::array<bool, 11> known_{}; // registers that hold something
    std::array<std::uint8_t, kStack> stack_{};
    std::array<bool, kStack> written_{};
    std::uint32_t looked_ = 0;
    packet::RuleCounter counter_;
};

} // namespace filterd::fuzz
