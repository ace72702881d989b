// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells in pcap-filter(7) what the filters of the catalogue are to pass, so that libpcap judges as well.

#include "catalogue_model.hpp"

#include <string>

namespace filterd::test {

// Returns the expression for what passes of the packets that libpcap can judge.
[[nodiscard]] std::string expressionOf(const PortRules& rules, bool ingress);
[[nodiscard]] std::string expressionOf(const PrefixRules& rules, bool ingress);

// libpcap takes no packet for one that it cannot read, and sees nothing behind extension headers.
[[nodiscard]] bool libpcapCanJudge(const Packet& packet, const Outcome& outcome);

} // namespace filterd::test
