#include "edge/pcap/expression_words.hpp"

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

bool isWordCharacter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-' || c == ':' ||
           c == '\\';
}

std::size_t wordEnd(std::string_view text, std::size_t begin) {
    std::size_t end = begin;
    while (end < text.size() && isWordCharacter(text[end]))
        ++end;
    return std::max(end, begin + 1);
}

bool isOneOf(std::string_view text, std::initializer_list<std::string_view> choices) {
    return std::find(choices.begin(), choices.end(), text) != choices.end();
}

bool isName(std::string_view text) {
    if (std::find(kKeywords.begin(), kKeywords.end(), text) != kKeywords.end())
        return false;
    const bool isAddress = text.find(':') != std::string_view::npos ||
                           text.find_first_not_of("0123456789.") == std::string_view::npos;
    const bool isNumber = std::isdigit(static_cast<unsigned char>(text.front())) != 0 &&
                          text.find_first_not_of("0123456789abcdefABCDEFxX.-") == std::string_view::npos;
    const bool isConstant = text.starts_with("tcp-") || text.starts_with("icmp-") ||
                            text.starts_with("icmp6-") || text.starts_with("icmptype") ||
                            text.starts_with("icmpcode") || text.starts_with("icmp6type") ||
                            text.starts_with("icmp6code") || text == "tcpflags";
    return !isAddress && !isNumber && !isConstant && isWordCharacter(text.front());
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
// behind `or` in a list that began so.
std::optional<Word> findHostName(const std::vector<Word>& words) {
    bool ofPorts = false;
    for (const auto& word : words) {
        if (isOneOf(word.text, {"port", "portrange", "proto", "protochain"}))
            ofPorts = true;
        else if (isOneOf(word.text, {"host", "net", "gateway", "mask", "src", "dst"}))
            ofPorts = false;
        else if (isName(word.text) && !ofPorts && !word.text.starts_with('\\'))
            return word;
    }
    return std::nullopt;
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
