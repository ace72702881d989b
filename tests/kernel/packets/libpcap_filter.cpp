// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "tests/kernel/packets/libpcap_filter.hpp"

#include <cstring>
#include <pcap/pcap.h>

namespace filterd::test {

std::vector<sock_filter> libpcapProgram(const std::string& expression) {
    constexpr int kWholePacket = 65535;
    pcap_t* pcap = ::pcap_open_dead(DLT_RAW, kWholePacket);
    bpf_program code{};
    std::vector<sock_filter> program;
    if (pcap != nullptr && ::pcap_compile(pcap, &code, expression.c_str(), 0, PCAP_NETMASK_UNKNOWN) == 0) {
        program.resize(code.bf_len);
        std::memcpy(program.data(), code.bf_insns, code.bf_len * sizeof *code.bf_insns);
        ::pcap_freecode(&code);
    }
    if (pcap != nullptr)
        ::pcap_close(pcap);
    return program;
}

namespace {

std::vector<bpf_insn> instructionsOf(std::span<const sock_filter> program) {
    static_assert(sizeof(bpf_insn) == sizeof(sock_filter));
    std::vector<bpf_insn> instructions(program.size());
    std::memcpy(instructions.data(), program.data(), program.size_bytes());
    return instructions;
}

} // namespace

bool libpcapTakes(std::span<const sock_filter> program) {
    const auto instructions = instructionsOf(program);
    return ::bpf_validate(instructions.data(), static_cast<int>(instructions.size())) != 0;
}

bool libpcapMatches(std::span<const sock_filter> program, std::span<const std::uint8_t> packet) {
    const auto instructions = instructionsOf(program);
    const auto size = static_cast<unsigned>(packet.size());
    return ::bpf_filter(instructions.data(), packet.data(), size, size) != 0;
}

} // namespace filterd::test
