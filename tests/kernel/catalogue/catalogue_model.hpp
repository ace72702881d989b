// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells in plain C++ what the filters of the catalogue are to decide: from the RFCs, without their sources.

#include "tests/kernel/packets/packet_model.hpp"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace filterd::test {

inline constexpr unsigned kNoProtocol = 256;

struct Transport {
    unsigned protocol = kNoProtocol; // none: unparsable, or a fragment behind the first
    std::size_t offset = 0;
};

[[nodiscard]] Transport transportOf(const Packet& packet);

struct PortRules {
    // By protocol: TCP, UDP, SCTP.
    std::array<std::set<std::uint16_t>, 3> local;
    std::array<std::set<std::uint16_t>, 3> remote;
    bool listed = true;
    bool icmp = true;
    bool other = false;
    bool unparsable = false;
};

struct Outcome {
    bool passes = false;
    bool unparsable = false;
};

[[nodiscard]] Outcome judgePort(const PortRules& rules, const Packet& packet, bool ingress);

struct PrefixRule {
    std::array<std::uint8_t, 16> address{}; // IPv4 mapped
    unsigned bits = 0;
    bool allow = false;
    [[nodiscard]] bool isFour() const;
    [[nodiscard]] bool covers(const std::array<std::uint8_t, 16>& other) const;
    [[nodiscard]] std::string text() const;
};

struct PrefixRules {
    std::vector<PrefixRule> prefixes;
    bool local = false;
    bool otherwise = false;
    bool unparsable = false;
};

[[nodiscard]] Outcome judgeCidr(const PrefixRules& rules, const Packet& packet, bool ingress);

// The largest size it has on the wire: headers and one segment, if the kernel will cut it.
[[nodiscard]] std::size_t segmentSize(const Packet& packet, unsigned gsoSize);

} // namespace filterd::test
