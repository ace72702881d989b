// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet/pcapng.hpp"

#include <algorithm>
#include <limits>

namespace filterd::packet {

namespace {

// Numbers are in this machine's order; the byte-order magic tells readers.
constexpr std::uint32_t kSection = 0x0a0d0d0a;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint16_t kLinkTypeRaw = 101;
constexpr std::uint32_t kOnlyInterface = 0;
constexpr std::uint32_t kSnapshotLength = 262'144; // libpcap's own: longer packets there are none
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kInterfaceName = 2;
constexpr std::uint16_t kPacketFlags = 2;
constexpr std::uint16_t kApplication = 4;
constexpr std::size_t kAround = 12; // a block's type, and its length before and behind

template<typename T>
void add(std::string& block, T number) {
    block.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void addPadded(std::string& block, std::string_view bytes) {
    block += bytes;
    block.append((4 - bytes.size() % 4) % 4, '\0');
}

void addOption(std::string& block, std::uint16_t code, std::string_view value) {
    value = value.substr(0, std::numeric_limits<std::uint16_t>::max());
    add(block, code);
    add(block, static_cast<std::uint16_t>(value.size()));
    addPadded(block, value);
}

void endOptions(std::string& block) { add(block, std::uint32_t{0}); }

std::string block(std::uint32_t type, const std::string& body) {
    const auto length = static_cast<std::uint32_t>(body.size() + kAround);
    std::string whole;
    add(whole, type);
    add(whole, length);
    whole += body;
    add(whole, length);
    return whole;
}

std::string sectionHead(std::string_view application) {
    std::string body;
    add(body, kByteOrder);
    add(body, std::uint16_t{1}); // version 1.0
    add(body, std::uint16_t{0});
    add(body, std::int64_t{-1}); // of a length that is not known yet
    addOption(body, kApplication, application);
    endOptions(body);
    return block(kSection, body);
}

std::string interfaceBlock(std::string_view name) {
    std::string body;
    add(body, kLinkTypeRaw);
    add(body, std::uint16_t{0});
    add(body, kSnapshotLength);
    addOption(body, kInterfaceName, name);
    endOptions(body);
    return block(kInterface, body);
}

} // namespace

std::string pcapngHead(std::string_view application, std::string_view interface) {
    return sectionHead(application) + interfaceBlock(interface);
}

std::string pcapngBlock(const PcapngPacket& packet) {
    const auto captured = static_cast<std::uint32_t>(packet.bytes.size());
    std::string body;
    add(body, kOnlyInterface);
    add(body, static_cast<std::uint32_t>(packet.time >> 32));
    add(body, static_cast<std::uint32_t>(packet.time));
    add(body, captured);
    add(body, std::max(packet.length, captured));
    addPadded(body, {reinterpret_cast<const char*>(packet.bytes.data()), packet.bytes.size()});
    addOption(body, kComment, packet.comment);
    const auto flags = static_cast<std::uint32_t>(packet.way);
    addOption(body, kPacketFlags, {reinterpret_cast<const char*>(&flags), sizeof flags});
    endOptions(body);
    return block(kEnhancedPacket, body);
}

} // namespace filterd::packet
