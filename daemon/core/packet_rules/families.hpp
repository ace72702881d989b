// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Rules that are silent about IPv6 though nothing in them names IPv4.

#include <string_view>

namespace filterd::packet {

// In the language of pcap-filter(7) the bytes of a transport header, as tcp[13], and icmp are those of IPv4
// packets: a rule that asks for them judges no IPv6 packet. True where a part of the expression does so and
// its words do not tell that IPv4 alone is meant (ip, an address of IPv4), nor what IPv6 packets get.
// Where another rule has icmp6, icmp is meant for IPv4.
[[nodiscard]] bool isSilentAboutIpv6(std::string_view expression, bool isIcmp6Judged = false);

} // namespace filterd::packet
