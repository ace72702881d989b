// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// libpcap's own interpreter. Its header and the kernel's both define bpf_insn: never in one source.

#include <cstdint>
#include <linux/filter.h>
#include <span>
#include <string>
#include <vector>

namespace filterd::test {

// For packets that begin with the IP header, without libpcap's optimiser. Empty if libpcap refuses it.
[[nodiscard]] std::vector<sock_filter> libpcapProgram(const std::string& expression);
// Whether libpcap would run the program at all.
[[nodiscard]] bool libpcapTakes(std::span<const sock_filter> program);
[[nodiscard]] bool libpcapMatches(std::span<const sock_filter> program, std::span<const std::uint8_t> packet);

} // namespace filterd::test
