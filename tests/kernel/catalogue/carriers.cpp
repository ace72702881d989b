// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "carriers.hpp"

namespace filterd::test {

void put16(Bytes& bytes, unsigned value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

Bytes operator+(Bytes one, const Bytes& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
}

Bytes bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

Bytes udp(unsigned from, unsigned to, const Bytes& payload) {
    Bytes bytes;
    for (const unsigned value : {from, to, static_cast<unsigned>(8 + payload.size()), 0U})
        put16(bytes, value);
    return bytes + payload;
}

Bytes tcp(unsigned from, unsigned to, std::uint8_t flags, const Bytes& payload) {
    Bytes bytes;
    put16(bytes, from);
    put16(bytes, to);
    bytes.resize(12);
    bytes.insert(bytes.end(), {0x60, flags, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1});
    return bytes + payload;
}

Bytes ip4(std::uint8_t protocol, unsigned fragment, unsigned options, bool back, const Bytes& rest) {
    Bytes bytes{static_cast<std::uint8_t>(0x45 + options), 0, 0, 0, 0, 7};
    put16(bytes, fragment);
    const auto near = static_cast<std::uint8_t>(back ? 2 : 1);
    bytes.insert(bytes.end(),
                 {64, protocol, 0, 0, 192, 0, 2, near, 192, 0, 2, static_cast<std::uint8_t>(3 - near)});
    bytes.resize(bytes.size() + std::size_t{4} * options, 1);
    return bytes + rest;
}

Bytes ip6(std::uint8_t next, bool back, const Bytes& rest) {
    Bytes bytes{0x60, 0, 0, 0, 0, 0, next, 64};
    for (const int last : {back ? 2 : 1, back ? 1 : 2}) {
        bytes.insert(bytes.end(), {0x20, 1, 0x0d, 0xb8});
        bytes.resize(bytes.size() + 12);
        bytes.back() = static_cast<std::uint8_t>(last);
    }
    return bytes + rest;
}

namespace {

Carrier four(const char* name, unsigned fragment, unsigned options) {
    return {name, kIp4, [=](std::uint8_t protocol, bool back, const Bytes& rest) {
                return ip4(protocol, fragment, options, back, rest);
            }};
}

// Headers before the transport's: the type of each, and what stands behind its first byte.
Carrier six(const char* name, const std::vector<std::pair<std::uint8_t, Bytes>>& headers) {
    return {name, kIp6, [=](std::uint8_t protocol, bool back, const Bytes& rest) {
                Bytes all = rest;
                std::uint8_t next = protocol;
                for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
                    all = Bytes{next} + header->second + all;
                    next = header->first;
                }
                return ip6(next, back, all);
            }};
}

const Bytes kOptions{0, 1, 4, 0, 0, 0, 0};
const Bytes kLongOptions = Bytes{1, 1, 12} + Bytes(12, 0);
const Bytes kAuthentication = Bytes{4} + Bytes(22, 7);
const Bytes kFirst{0, 0, 1, 0, 0, 0, 9};
const Bytes kLater{0, 0, 9, 0, 0, 0, 9};

} // namespace

const std::vector<Carrier>& carriers() {
    static const std::vector<Carrier> all{
        four("IPv4", 0, 0),
        four("IPv4 with options", 0x4000, 10),
        four("the first fragment of IPv4", 0x2000, 1),
        six("IPv6", {}),
        six("hop-by-hop options", {{0, kOptions}}),
        six("four headers", {{0, kOptions}, {60, kLongOptions}, {43, kOptions}, {60, kOptions}}),
        six("an authentication header", {{51, kAuthentication}}),
        six("the first fragment of IPv6", {{44, kFirst}}),
        six("options in a fragment", {{44, kFirst}, {60, kOptions}}),
    };
    return all;
}

const std::vector<Carrier>& hiding() {
    static const std::vector<Carrier> all{
        four("a later fragment of IPv4", 0x2001, 0),
        six("a later fragment of IPv6", {{44, kLater}}),
        six("too many headers", std::vector<std::pair<std::uint8_t, Bytes>>(9, {60, kOptions})),
    };
    return all;
}

} // namespace filterd::test
