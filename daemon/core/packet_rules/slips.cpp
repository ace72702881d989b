// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/slips.hpp"

#include "core/packet_rules/expression_words.hpp"

#include <algorithm>
#include <array>

namespace filterd::packet {

namespace {

class SlipReader {
  public:
    explicit SlipReader(std::string_view expression) : words_(wordsOf(expression, 1)) {}

    std::optional<std::string> find() {
        bool ofNetworks = false;
        for (std::size_t at = 0; at < words_.size(); ++at) {
            const auto text = word(at);
            if (isOneOf(text, kKinds))
                ofNetworks = text == "net";
            if (ofNetworks && isWholeAddress(text) && word(at + 1) != "/" && word(at + 1) != "mask" &&
                !(at > 0 && word(at - 1) == "mask"))
                return "takes 'net " + std::string(text) +
                       "' for that one address: write the length of the prefix, as "
                       "net 10.0.0.0/8, or say host";
            if (auto slip = protocolsOfOnePort(at))
                return slip;
            if (auto slip = notOfAList(at))
                return slip;
            if (auto slip = beneathIp(at))
                return slip;
            if (isOfLink(text) && word(at + 1) == "[") // libpcap counts from where the packet begins
                return "reads '" + std::string(text) +
                       "[…]' from the IP header on, where packets in a queue begin: write ip[…] or ip6[…] "
                       "if that is meant, and take it out if not";
            if (isRangeOfNextHeader(at))
                return "compares the next header of the IPv6 header alone, not those of the extension "
                       "headers behind "
                       "it: ask for each protocol, as ip6 proto 6, which looks at all of them";
        }
        return std::nullopt;
    }

  private:
    static constexpr std::array<std::string_view, 6> kKinds{"net",       "host",  "port",
                                                            "portrange", "proto", "gateway"};
    static constexpr std::array<std::string_view, 3> kTransports{"tcp", "udp", "sctp"};

    [[nodiscard]] std::string_view word(std::size_t at) const {
        return at < words_.size() ? words_[at].text : std::string_view();
    }
    // Returns how many words an `or` takes here, if one stands here.
    [[nodiscard]] std::size_t orAt(std::size_t at) const {
        return word(at) == "or" ? 1 : word(at) == "|" && word(at + 1) == "|" ? 2 : 0;
    }

    // 10.0.0.0 and 2001:db8::, which look like networks; fewer parts have a prefix of that length.
    static bool isWholeAddress(std::string_view text) {
        if (text.find(':') != std::string_view::npos)
            return text.ends_with("::");
        return std::count(text.begin(), text.end(), '.') == 3 && text.ends_with(".0");
    }

    // Returns where the types stand in `ether proto 0x800 or 0x806`; in parentheses, too.
    [[nodiscard]] std::vector<std::size_t> typesOfLink(std::size_t at) const {
        std::vector<std::size_t> types;
        if (!isOfLink(word(at)) || word(at + 1) != "proto")
            return types;
        const auto isType = [&](std::size_t place) {
            const auto text = word(place);
            return !text.empty() && std::string_view("0123456789\\").find(text.front()) != text.npos;
        };
        for (std::size_t place = at + (word(at + 2) == "(" ? 3 : 2); isType(place);) {
            types.push_back(place);
            const std::size_t joint = orAt(place + 1);
            place += joint == 0 ? words_.size() : 1 + joint;
        }
        return types;
    }

    // `arp`, `ether proto 0x806`: to libpcap false, as no such packet begins with an IP header.
    [[nodiscard]] std::optional<std::string> beneathIp(std::size_t at) const {
        constexpr std::array<std::string_view, 27> kOthers{
            "arp", "rarp", "atalk", "aarp", "decnet", "lat",  "sca",     "moprc",  "mopdl",
            "iso", "esis", "es-is", "isis", "is-is",  "clnp", "l1",      "l2",     "iih",
            "lsp", "snp",  "csnp",  "psnp", "stp",    "ipx",  "netbeui", "pppoed", "pppoes"};
        constexpr std::array<std::string_view, 8> kIp{"0x800",  "0x0800", "2048",  "\\ip",
                                                      "0x86dd", "0x86DD", "34525", "\\ip6"};
        std::string what;
        if (isOneOf(word(at), kOthers))
            what = word(at);
        for (std::size_t type : typesOfLink(at))
            if (what.empty() && !isOneOf(word(type), kIp))
                what = std::string(word(at)) + " proto " + std::string(word(type));
        if (what.empty())
            return std::nullopt;
        return "asks for '" + what +
               "', which no packet in a queue is: they begin with the header of IPv4 or IPv6; take that "
               "part out";
    }

    // `ip6[6] > 50`, `ip6[6] != 6`: only a question for one value asks for the whole chain.
    [[nodiscard]] bool isRangeOfNextHeader(std::size_t at) const {
        if (word(at) != "ip6" || word(at + 1) != "[" || word(at + 2) != "6" || word(at + 3) != "]")
            return false;
        return word(at + 4) == "<" || word(at + 4) == ">";
    }

    // `tcp or udp port 53`: all of tcp.
    [[nodiscard]] std::optional<std::string> protocolsOfOnePort(std::size_t at) const {
        const bool begins = at == 0 || word(at - 1) == "(" || orAt(at - 1) == 1 || word(at - 1) == "|";
        const std::size_t joint = orAt(at + 1);
        if (!begins || joint == 0 || !isOneOf(word(at), kTransports))
            return std::nullopt;
        const std::size_t other = at + 1 + joint;
        const bool hasSide = word(other + 1) == "dst" || word(other + 1) == "src";
        const auto kind = word(other + (hasSide ? 2 : 1));
        if (!isOneOf(word(other), kTransports) || (kind != "port" && kind != "portrange"))
            return std::nullopt;
        const std::string protocol(word(at));
        return "matches all of " + protocol + ", whatever the port: write '" + protocol + " port … or " +
               std::string(word(other)) + " port …', or '(" + protocol + ")' where all of it is meant";
    }

    // `not port 22 or 80`: all but port 22.
    [[nodiscard]] std::optional<std::string> notOfAList(std::size_t at) const {
        const bool isNot = word(at) == "not" || (word(at) == "!" && word(at + 1) != "=");
        if (!isNot)
            return std::nullopt;
        std::size_t kind = at + 1;
        while (isOneOf(word(kind), kTransports) || word(kind) == "src" || word(kind) == "dst" ||
               word(kind) == "ip" || word(kind) == "ip6")
            ++kind;
        if (!isOneOf(word(kind), kKinds))
            return std::nullopt;
        std::size_t value = kind + 1;
        if (word(value + 1) == "/")
            value += 2;
        const std::size_t joint = orAt(value + 1);
        const auto next = word(value + 1 + joint);
        const bool isValue =
            !next.empty() && next.find_first_not_of("0123456789abcdefABCDEF.:-") == next.npos;
        if (joint == 0 || !isValue)
            return std::nullopt;
        const auto kindAndValue = std::string(word(kind)) + " " + std::string(word(kind + 1));
        return "is 'not " + kindAndValue +
               "' or what stands behind it, so that it matches more: write not (" + kindAndValue + " or " +
               std::string(next) + ")";
    }

    std::vector<Word> words_;
};

} // namespace

std::optional<std::string> slipIn(std::string_view expression) { return SlipReader(expression).find(); }

} // namespace filterd::packet
