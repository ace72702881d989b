// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Any classic programs as rules: a byte says how many instructions there are, each of eight bytes; behind
// them stands a packet. Where libpcap runs a program, the one that filterd makes of it comes to the same.

#include "rule_judges.hpp"

#include <cstring>

namespace filterd::fuzz {
namespace {

constexpr std::size_t kMostInstructions = 48;

// Codes that mean something: a guess among 65,536 seldom does.
constexpr std::uint16_t kCodes[] = {BPF_LD | BPF_W | BPF_ABS,
                                    BPF_LD | BPF_H | BPF_ABS,
                                    BPF_LD | BPF_B | BPF_ABS,
                                    BPF_LD | BPF_W | BPF_IND,
                                    BPF_LD | BPF_H | BPF_IND,
                                    BPF_LD | BPF_B | BPF_IND,
                                    BPF_LD | BPF_IMM,
                                    BPF_LD | BPF_MEM,
                                    BPF_LD | BPF_W | BPF_LEN,
                                    BPF_LDX | BPF_IMM,
                                    BPF_LDX | BPF_MEM,
                                    BPF_LDX | BPF_W | BPF_LEN,
                                    BPF_LDX | BPF_B | BPF_MSH,
                                    BPF_ST,
                                    BPF_STX,
                                    BPF_ALU | BPF_ADD | BPF_K,
                                    BPF_ALU | BPF_SUB | BPF_K,
                                    BPF_ALU | BPF_MUL | BPF_K,
                                    BPF_ALU | BPF_DIV | BPF_K,
                                    BPF_ALU | BPF_MOD | BPF_K,
                                    BPF_ALU | BPF_AND | BPF_K,
                                    BPF_ALU | BPF_OR | BPF_K,
                                    BPF_ALU | BPF_XOR | BPF_K,
                                    BPF_ALU | BPF_LSH | BPF_K,
                                    BPF_ALU | BPF_RSH | BPF_K,
                                    BPF_ALU | BPF_NEG,
                                    BPF_ALU | BPF_ADD | BPF_X,
                                    BPF_ALU | BPF_SUB | BPF_X,
                                    BPF_ALU | BPF_MUL | BPF_X,
                                    BPF_ALU | BPF_DIV | BPF_X,
                                    BPF_ALU | BPF_MOD | BPF_X,
                                    BPF_ALU | BPF_AND | BPF_X,
                                    BPF_ALU | BPF_OR | BPF_X,
                                    BPF_ALU | BPF_XOR | BPF_X,
                                    BPF_ALU | BPF_LSH | BPF_X,
                                    BPF_ALU | BPF_RSH | BPF_X,
                                    BPF_JMP | BPF_JA,
                                    BPF_JMP | BPF_JEQ | BPF_K,
                                    BPF_JMP | BPF_JGT | BPF_K,
                                    BPF_JMP | BPF_JGE | BPF_K,
                                    BPF_JMP | BPF_JSET | BPF_K,
                                    BPF_JMP | BPF_JEQ | BPF_X,
                                    BPF_JMP | BPF_JGT | BPF_X,
                                    BPF_JMP | BPF_JGE | BPF_X,
                                    BPF_JMP | BPF_JSET | BPF_X,
                                    BPF_RET | BPF_K,
                                    BPF_RET | BPF_A,
                                    BPF_MISC | BPF_TAX,
                                    BPF_MISC | BPF_TXA};

// The high byte of a code tells whether the low one is a code or the place of one.
packet::CbpfProgram programOf(const std::uint8_t*& data, std::size_t& size) {
    packet::CbpfProgram program;
    for (std::uint32_t word = 0; word < BPF_MEMWORDS; ++word)
        program.push_back({BPF_ST, 0, 0, word}); // libpcap leaves there what was on the stack
    if (size == 0)
        return program;
    std::size_t count = *data % (kMostInstructions + 1);
    ++data;
    --size;
    for (; count > 0 && size >= sizeof(sock_filter); --count) {
        sock_filter insn{};
        std::memcpy(&insn, data, sizeof insn);
        if (insn.code >> 8 != 0)
            insn.code = kCodes[(insn.code & 0xff) % std::size(kCodes)];
        program.push_back(insn);
        data += sizeof insn;
        size -= sizeof insn;
    }
    return program;
}

void check(const std::uint8_t* data, std::size_t size) {
    packet::RulesInput rules;
    const auto verdict = size > 0 && *data % 2 == 0 ? packet::Verdict::Allow : packet::Verdict::Deny;
    rules.rules.push_back({programOf(data, size), verdict});
    if (size > 0 && *data % 4 == 0)
        rules.rules.push_back({programOf(data, size), packet::Verdict::Allow, packet::kFirstRule + 1});
    const auto program = packet::compile(rules);
    for (const auto& rule : rules.rules)
        (void)packet::matchesOf(rule.program);
    if (!program) {
        requireReadable(program.error());
        return;
    }
    const bool runs =
        std::ranges::all_of(rules.rules, [](const auto& rule) { return test::libpcapTakes(rule.program); });
    const auto with = packetOf(textOf(data, size));
    for (const auto& compiled : {program, packet::compileSmall(rules)})
        if (compiled && runs)
            compareJudges(rules, *compiled, with, false);
        else if (compiled) // libpcap divides by no constant 0
            (void)RuleMachine(*compiled, with.packet, with.direct).run();
    for (const auto& rule : rules.rules)
        if (runs)
            checkForecast(rule.program, with.packet);
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(data, size);
    return 0;
}
