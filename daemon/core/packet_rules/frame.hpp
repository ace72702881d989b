// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Registers and stack of a program of rules.

#include <cstdint>
#include <linux/bpf.h>

namespace filterd::packet {

inline constexpr std::uint8_t kContext = BPF_REG_6; // the sk_buff
inline constexpr std::uint8_t kData = BPF_REG_7;    // its bytes, where they can be reached directly
inline constexpr std::uint8_t kVerdict = BPF_REG_8; // once decided

// Offsets from the frame's end.
inline constexpr std::int32_t kCounterKey = -4;
inline constexpr std::int32_t kLoaded = -16;        // what bpf_skb_load_bytes has copied for one load
inline constexpr std::int32_t kHeaderCopy = -64;    // 40 bytes
inline constexpr std::int32_t kUpperProtocol = -72; // of an IPv6 packet with extension headers
// A byte, and where no register could be spilled to: so the verifier knows no more of it than that.
inline constexpr std::int32_t kExtensions = -79;
inline constexpr std::int32_t kFirstSpill = -88;
inline constexpr std::int32_t kSpills = 16;

// Bytes of the packet that can be loaded without a call.
struct Reach {
    std::uint8_t base = kData;
    std::int32_t displacement = 0;
    std::uint32_t bytes = 0;
};

} // namespace filterd::packet
