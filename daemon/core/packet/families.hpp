#pragma once
// Rules that are silent about IPv6 though nothing in them names IPv4.

#include "core/packet/rules.hpp"

namespace filterd::packet {

// In the language of pcap-filter(7) the bytes of a transport header, as tcp[13], and icmp are those of IPv4
// packets: a rule that asks for them judges no IPv6 packet. True where a part of the expression does so and
// its words do not tell that IPv4 alone is meant (ip, an address of IPv4), nor what IPv6 packets get.
[[nodiscard]] bool isSilentAboutIpv6(std::string_view expression);

// A note for each such rule, by its number.
struct RuleNote {
    std::size_t rule = 0; // begins with 1
    std::string text;
};
[[nodiscard]] std::vector<RuleNote> notesAbout(const PacketRules& rules);

} // namespace filterd::packet
