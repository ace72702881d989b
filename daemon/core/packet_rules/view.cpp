// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/view.hpp"

namespace filterd::packet {

namespace {

constexpr std::uint32_t kPlainFirstByteV4 = 0x45; // 20 bytes of header

std::uint32_t headerSize(Version version) {
    switch (version) {
    case Version::V4:
        return kHeaderV4;
    case Version::V6:
        return kHeaderV6;
    case Version::Unknown:
        break;
    }
    return 0;
}

ExprId versionOf(Expressions& expressions) {
    return expressions.binary(Op::And, expressions.load(1, kNoExpr, 0), expressions.constant(kVersionMask));
}

ExprId fragmentOf(Expressions& expressions) {
    return expressions.binary(Op::And, expressions.load(2, kNoExpr, kFragmentV4),
                              expressions.constant(kFragmentMask));
}

PacketView headerView(Expressions& expressions, Version version) {
    PacketView view;
    view.version = version;
    view.minimumLength = headerSize(version);
    if (version != Version::Unknown)
        view.known[versionOf(expressions)] = version == Version::V4 ? 0x40 : 0x60;
    return view;
}

} // namespace

std::uint32_t transportSize(std::uint32_t protocol) {
    for (const auto& transport : kTransports)
        if (transport.protocol == protocol)
            return transport.headerSize;
    return 0;
}

std::optional<std::uint32_t> extensionBit(std::uint32_t protocol) {
    for (std::uint32_t i = 0; i < std::size(kExtensionHeaders); ++i)
        if (kExtensionHeaders[i] == protocol)
            return 1U << i;
    return std::nullopt;
}

ExprId protocolOf(Expressions& expressions, Version version) {
    return expressions.load(1, kNoExpr, version == Version::V4 ? kProtocolV4 : kProtocolV6);
}

PacketView wholeView(Expressions& expressions, Version version) {
    PacketView view = headerView(expressions, version);
    if (version == Version::V4)
        view.known[fragmentOf(expressions)] = 0;
    else
        view.different[protocolOf(expressions, version)] = {std::begin(kExtensionHeaders),
                                                            std::end(kExtensionHeaders)};
    return view;
}

PacketView plainView(Expressions& expressions, Version version) {
    PacketView view = wholeView(expressions, version);
    if (version == Version::V4)
        view.known[expressions.load(1, kNoExpr, 0)] = kPlainFirstByteV4;
    return view;
}

PacketView plainView(Expressions& expressions, Version version, std::uint32_t protocol) {
    PacketView view = plainView(expressions, version);
    view.known[protocolOf(expressions, version)] = protocol;
    view.minimumLength += transportSize(protocol);
    return view;
}

PacketView plainView(Expressions& expressions, Version version, const std::set<std::uint32_t>& otherThan) {
    PacketView view = plainView(expressions, version);
    view.different[protocolOf(expressions, version)].insert(otherThan.begin(), otherThan.end());
    return view;
}

PacketView hiddenView(Expressions& expressions, Version version) {
    PacketView view = headerView(expressions, version);
    view.visible = headerSize(version);
    return view;
}

} // namespace filterd::packet
