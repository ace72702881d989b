// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "catalogue_expressions.hpp"

#include <algorithm>

namespace filterd::test {

namespace {

constexpr std::array kProtocols{"tcp", "udp", "sctp"};
constexpr const char* kEverything = "(ip or ip6)";
constexpr const char* kNothing = "(ip and ip6)";

std::string portsAt(const char* side, const std::set<std::uint16_t>& ports) {
    std::string text;
    for (const auto port : ports)
        text += std::string(" or ") + side + " port " + std::to_string(port);
    return text;
}

std::string listedOf(const PortRules& rules, bool ingress) {
    std::string text;
    for (std::size_t i = 0; i < kProtocols.size(); ++i)
        text += std::string(i == 0 ? "(" : " or (") + kProtocols[i] + " and (" + kNothing +
                portsAt(ingress ? "dst" : "src", rules.local[i]) +
                portsAt(ingress ? "src" : "dst", rules.remote[i]) + "))";
    return text;
}

std::string netOf(const PrefixRule& rule, const char* side) {
    const auto text = rule.text();
    return (text.find(':') == std::string::npos ? "ip " : "ip6 ") + std::string(side) + " net " + text;
}

} // namespace

std::string expressionOf(const PortRules& rules, bool ingress) {
    const std::string withPorts = "(tcp or udp or sctp)";
    const std::string icmp = "(proto 1 or proto 58)";
    std::string text =
        "(" + withPorts + " and " + (rules.listed ? "" : "not ") + "(" + listedOf(rules, ingress) + "))";
    if (rules.icmp)
        text += " or " + icmp;
    if (rules.other)
        text += " or not (" + withPorts + " or " + icmp + ")";
    return text;
}

// Longer prefixes first: each decides, or leaves it to the others.
std::string expressionOf(const PrefixRules& rules, bool ingress) {
    auto prefixes = rules.prefixes;
    std::sort(prefixes.begin(), prefixes.end(),
              [](const PrefixRule& one, const PrefixRule& other) { return one.bits < other.bits; });
    std::string text = rules.otherwise ? kEverything : kNothing;
    for (const auto& rule : prefixes) {
        const auto net = netOf(rule, ingress != rules.local ? "src" : "dst");
        text = rule.allow ? "(" + net + ") or (" + text + ")" : "not (" + net + ") and (" + text + ")";
    }
    return text;
}

bool libpcapCanJudge(const Packet& packet, const Outcome& outcome) {
    constexpr std::array kExtensions{0, 43, 44, 51, 60, 135, 139, 140};
    const bool extended =
        packet.etherType == 0x86dd && packet.bytes.size() > 6 &&
        std::find(kExtensions.begin(), kExtensions.end(), packet.bytes[6]) != kExtensions.end();
    return !outcome.unparsable && !extended;
}

} // namespace filterd::test
