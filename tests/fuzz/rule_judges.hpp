// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Packets out of an input, and two judges of one packet: the compiled rules and what they mean.

#include "core/packet_rules/possible.hpp"
#include "core/packet_rules/rules_program.hpp"
#include "rule_machine.hpp"
#include "tests/kernel/packets/libpcap_filter.hpp"

#include <algorithm>

namespace filterd::fuzz {

// "4" or "6" as the first byte is the kind of packet, anything else another; the second says how much of it
// is in direct reach. The version in the header is mended, so that not each byte must be guessed.
struct PacketCase {
    test::Packet packet;
    std::size_t direct = 0;
};

[[nodiscard]] inline PacketCase packetOf(std::string_view text) {
    PacketCase made;
    if (text.size() < 2)
        return made;
    const bool isV4 = text[0] == '4';
    made.packet.etherType = isV4 ? 0x0800 : text[0] == '6' ? 0x86dd : 0x0806;
    made.packet.bytes.assign(text.begin() + 2, text.end());
    made.direct = text[1] == 'a' ? made.packet.bytes.size() : static_cast<unsigned char>(text[1]);
    if (!made.packet.bytes.empty() && (isV4 || text[0] == '6') && made.packet.bytes[0] != 0)
        made.packet.bytes[0] = static_cast<std::uint8_t>((isV4 ? 0x40 : 0x60) | (made.packet.bytes[0] & 0xf));
    return made;
}

// `hidden`: whether the model knows what these rules mean where a part of the packet is hidden.
inline void compareJudges(const packet::RulesInput& rules, std::span<const bpf_insn> program,
                          const PacketCase& with, bool hidden) {
    const auto end = RuleMachine(program, with.packet, with.direct).run();
    const auto decided = test::judge(rules, with.packet);
    if (decided.hidden && !hidden)
        return;
    require(end.by == decided.by, "the rule decides that should",
            std::to_string(end.by) + " instead of " + std::to_string(decided.by));
    require((end.verdict == 1) == (decided.verdict == packet::Verdict::Allow) && end.verdict < 2,
            "the verdict is the rule's");
}

// An IP packet with the whole of its header.
[[nodiscard]] inline bool isIp(const test::Packet& packet) {
    constexpr std::size_t kLongest = 65535;
    const auto& bytes = packet.bytes;
    if (packet.etherType != 0x0800 && packet.etherType != 0x86dd)
        return false;
    const bool isV4 = packet.etherType == 0x0800;
    return bytes.size() >= (isV4 ? 20U : 40U) && bytes.size() <= kLongest && bytes[0] >> 4 == (isV4 ? 4 : 6);
}

// What is said of a rule before it has seen any packet.
inline void checkForecast(const packet::CbpfProgram& program, const test::Packet& packet) {
    const bool matches = test::libpcapMatches(program, packet.bytes);
    require(!matches || packet::canMatch(program), "what is said to match nothing matches nothing");
    if (!isIp(packet))
        return;
    const auto forecast = packet::matchesOf(program);
    require(!matches || forecast != packet::Matches::None, "what is said to match no IP packet matches none");
    require(matches || forecast != packet::Matches::All, "what is said to match each IP packet does");
}

} // namespace filterd::fuzz
