// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/expression_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace filterd {

namespace {

// Every keyword of libpcap's grammar that may stand where a name could.
constexpr std::array kKeywords = std::to_array<std::string_view>(
    {"dst",       "src",       "link",    "ether",      "ppp",         "slip",      "fddi",     "tr",
     "wlan",      "arp",       "rarp",    "ip",         "sctp",        "tcp",       "udp",      "icmp",
     "igmp",      "igrp",      "pim",     "vrrp",       "carp",        "radio",     "ip6",      "icmp6",
     "ah",        "esp",       "atalk",   "aarp",       "decnet",      "lat",       "sca",      "moprc",
     "mopdl",     "iso",       "esis",    "es-is",      "isis",        "is-is",     "l1",       "l2",
     "iih",       "lsp",       "snp",     "csnp",       "psnp",        "clnp",      "stp",      "ipx",
     "netbeui",   "host",      "net",     "mask",       "port",        "portrange", "proto",    "protochain",
     "gateway",   "type",      "subtype", "direction",  "dir",         "address1",  "address2", "address3",
     "address4",  "addr1",     "addr2",   "addr3",      "addr4",       "less",      "greater",  "byte",
     "broadcast", "multicast", "and",     "or",         "not",         "len",       "length",   "inbound",
     "outbound",  "ifindex",   "vlan",    "mpls",       "pppoed",      "pppoes",    "geneve",   "lane",
     "llc",       "metac",     "bcc",     "oam",        "oamf4",       "oamf4ec",   "oamf4sc",  "sc",
     "ilmic",     "vpi",       "vci",     "connectmsg", "metaconnect", "on",        "ifname",   "rset",
     "ruleset",   "rnr",       "rulenum", "srnr",       "subrulenum",  "reason",    "action",   "fisu",
     "lssu",      "lsu",       "msu",     "hfisu",      "hlssu",       "hmsu",      "sio",      "opc",
     "dpc",       "sls",       "hsio",    "hopc",       "hdpc",        "hsls",      "pass",     "block"});

bool isAlphanumeric(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool beginsWord(char c) { return isAlphanumeric(c) || c == '.' || c == '_' || c == ':' || c == '\\'; }

// A minus that begins nothing is one.
std::size_t wordEnd(std::string_view text, std::size_t begin) {
    std::size_t end = begin;
    while (end < text.size() && (beginsWord(text[end]) || (end > begin && text[end] == '-')))
        ++end;
    return std::max(end, begin + 1);
}

bool isKeyword(std::string_view text) {
    return std::find(kKeywords.begin(), kKeywords.end(), text) != kKeywords.end();
}

bool isAllOf(std::string_view text, std::string_view characters) {
    return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

// 80, 0x1bb, 10.0.0.1 or the beginning of one. Anything else with a digit, 1.2.3.4.5 or 4.cc, is a name to
// libpcap.
bool isNumber(std::string_view text) {
    constexpr std::size_t kMostParts = 4;
    constexpr std::string_view kDigits = "0123456789";
    if (text.starts_with("0x") || text.starts_with("0X"))
        return isAllOf(text.substr(2), "0123456789abcdefABCDEF");
    for (std::size_t part = 0; part < kMostParts; ++part) {
        const auto dot = text.find('.');
        if (!isAllOf(text.substr(0, dot), kDigits))
            return false;
        if (dot == std::string_view::npos)
            return true;
        text.remove_prefix(dot + 1);
    }
    return false;
}

bool isName(std::string_view text, const IsConstant& isConstant) {
    if (!beginsWord(text.front()) || isKeyword(text) || isNumber(text))
        return false;
    const bool isAddress =
        text.find(':') != std::string_view::npos && isAllOf(text, "0123456789abcdefABCDEF.:");
    return text.front() == '\\' || (!isAddress && !isConstant(text));
}

} // namespace

std::vector<Word> wordsOf(std::string_view expression, std::size_t first) {
    std::vector<Word> words;
    for (std::size_t at = 0; at < expression.size();) {
        if (std::isspace(static_cast<unsigned char>(expression[at])) != 0) {
            ++at;
            continue;
        }
        const std::size_t end = wordEnd(expression, at);
        words.push_back({expression.substr(at, end - at), at + first});
        at = end;
    }
    return words;
}

// A name behind port or proto is one of services or protocols, which files on this host tell; so is one
// behind `or` in a list that began so. Whatever other keyword comes, names are those of hosts again.
std::optional<Word> findHostName(const std::vector<Word>& words, const IsConstant& isConstant) {
    bool ofPorts = false;
    int brackets = 0; // what stands in them is a number, whatever it is
    for (const auto& word : words) {
        brackets += word.text == "[" ? 1 : word.text == "]" ? -1 : 0;
        if (brackets > 0)
            continue;
        if (isOneOf(word.text, {"port", "portrange", "proto", "protochain"}))
            ofPorts = true;
        else if (isKeyword(word.text) && !isOneOf(word.text, {"and", "or", "not"}))
            ofPorts = false;
        else if (!ofPorts && isName(word.text, isConstant))
            return word;
    }
    return std::nullopt;
}

std::optional<Word> findOneOf(const std::vector<Word>& words,
                              std::initializer_list<std::string_view> wanted) {
    const auto found = std::find_if(words.begin(), words.end(),
                                    [&](const Word& word) { return isOneOf(word.text, wanted); });
    return found == words.end() ? std::nullopt : std::optional(*found);
}

bool isOfLink(std::string_view word) {
    return isOneOf(word, {"ether", "link", "ppp", "slip", "fddi", "tr", "wlan"});
}

std::optional<Word> findUnbalanced(const std::vector<Word>& words) {
    std::vector<Word> open;
    for (const auto& word : words) {
        if (isOneOf(word.text, {"(", "["})) {
            open.push_back(word);
        } else if (isOneOf(word.text, {")", "]"})) {
            if (open.empty() || (open.back().text == "(") != (word.text == ")"))
                return word;
            open.pop_back();
        }
    }
    return open.empty() ? std::nullopt : std::optional(open.back());
}

} // namespace filterd
