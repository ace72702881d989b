// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Describes what is known of a class of packets before a rule is asked, and which part of them a rule can
// see.

#include "core/packet_rules/decision.hpp"

#include <cstdint>
#include <optional>
#include <set>

namespace filterd::packet {

enum class Version : std::uint8_t { Unknown, V4, V6 };

// Sizes and offsets of the headers.
inline constexpr std::uint32_t kHeaderV4 = 20;      // without options
inline constexpr std::uint32_t kHeaderV6 = 40;      // without extension headers
inline constexpr std::uint32_t kVersionMask = 0xf0; // in the first byte
inline constexpr std::uint32_t kProtocolV4 = 9;
inline constexpr std::uint32_t kProtocolV6 = 6;
inline constexpr std::uint32_t kFragmentV4 = 6;
inline constexpr std::uint32_t kFragmentMask = 0x1fff;
inline constexpr std::uint32_t kFragmentHeader = 44;

// The least a transport header needs; 0 for protocols without one that rules could ask for.
struct Transport {
    std::uint8_t protocol;
    std::uint8_t headerSize;
};
inline constexpr Transport kTransports[] = {{6, 20}, {17, 8}, {1, 8}, {58, 8}, {132, 12}, {33, 12}, {136, 8}};
[[nodiscard]] std::uint32_t transportSize(std::uint32_t protocol);

// Hop by hop, routing, fragment, authentication, destination options, mobility, HIP, shim6.
inline constexpr std::uint8_t kExtensionHeaders[] = {0, 43, 44, 51, 60, 135, 139, 140};
// Its bit in Op::Extensions; nothing for what is no extension header.
[[nodiscard]] std::optional<std::uint32_t> extensionBit(std::uint32_t protocol);

struct PacketView {
    Version version = Version::Unknown;
    std::map<ExprId, std::uint32_t> known;               // values that all packets of the class have
    std::map<ExprId, std::set<std::uint32_t>> different; // values that none of them has
    std::uint32_t minimumLength = 0;
    // Beyond these bytes is nothing that a rule could judge: a fragment, an extension header or half a
    // header. Nothing: all of the packet can be seen.
    std::optional<std::uint32_t> visible;
};

// A packet with a plain header of its version, whole, its transport header included.
[[nodiscard]] PacketView plainView(Expressions& expressions, Version version);
// The same, of one protocol.
[[nodiscard]] PacketView plainView(Expressions& expressions, Version version, std::uint32_t protocol);
// The same, of none of these protocols.
[[nodiscard]] PacketView plainView(Expressions& expressions, Version version,
                                   const std::set<std::uint32_t>& otherThan);
// An IPv4 packet with options, or with its bytes out of direct reach.
[[nodiscard]] PacketView wholeView(Expressions& expressions, Version version);
// A header of this version, and behind it what a rule cannot judge; unknown: not even the header.
[[nodiscard]] PacketView hiddenView(Expressions& expressions, Version version);

[[nodiscard]] ExprId protocolOf(Expressions& expressions, Version version);

// Returns what a rule, read from a cBPF program, comes to for packets of this class. Where the answer hangs
// on something hidden, both answers are followed: if they come to different ends, the rule cannot judge.
[[nodiscard]] NodeId specialise(NodeId rule, const PacketView& view, Expressions& expressions,
                                Decisions& decisions);

} // namespace filterd::packet
