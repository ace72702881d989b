// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/classifier.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>

namespace filterd::packet {

namespace {

constexpr std::uint8_t kDataEnd = BPF_REG_5; // until a call
constexpr std::uint8_t kProtocol = BPF_REG_2;
constexpr std::uint8_t kTemp = BPF_REG_1;
constexpr std::uint8_t kNextHeader = BPF_REG_8; // survive calls
constexpr std::uint8_t kOffset = BPF_REG_9;
constexpr std::uint8_t kSeen = kData; // a bit for each extension header; who walks reaches no data directly
constexpr std::uint8_t kLength = BPF_REG_0;

constexpr std::uint32_t kVersion4 = 0x40;
constexpr std::uint32_t kVersion6 = 0x60;
constexpr std::uint32_t kPlainV4 = 0x45;
constexpr std::uint32_t kHeaderWordsMask = 0xf;
constexpr int kMaxExtensions = 8;
constexpr std::uint32_t kExtensionUnit = 8; // the least an extension header has
constexpr std::uint32_t kAuthentication = 51;
constexpr std::uint32_t kFragmentOffsetMask = 0xfff8;

Reach copied(Version version) {
    return {BPF_REG_10, kHeaderCopy, version == Version::V4 ? kHeaderV4 : kHeaderV6};
}

} // namespace

Status Classifier::write(const std::set<std::uint32_t>& protocols, bool direct) {
    code_.move(kContext, BPF_REG_1);
    const Label careful = code_.label();
    if (direct)
        if (auto written = writeDirect(protocols, careful); !written)
            return written;
    code_.place(careful);
    return writeCareful();
}

void Classifier::checkProtocol(std::uint32_t etherType, Label otherwise) {
    code_.load(4, kTemp, kContext, offsetof(__sk_buff, protocol));
    code_.jumpIf(BPF_JNE, kTemp, htons(static_cast<std::uint16_t>(etherType)), otherwise);
}

void Classifier::requireDirect(std::uint32_t bytes, Label otherwise) {
    code_.move(kTemp, kData);
    code_.add64(kTemp, static_cast<std::int32_t>(bytes));
    code_.jumpIfWith(BPF_JGT, kTemp, kDataEnd, otherwise);
}

// ---- the plain packets, by far the most -----------------------------------------------------------------

Status Classifier::writeDirect(const std::set<std::uint32_t>& protocols, Label careful) {
    const Label notV4 = code_.label();
    code_.load(4, kData, kContext, offsetof(__sk_buff, data));
    code_.load(4, kDataEnd, kContext, offsetof(__sk_buff, data_end));
    requireDirect(kHeaderV4, careful);
    code_.load(1, kProtocol, kData, 0);
    code_.jumpIf(BPF_JNE, kProtocol, kPlainV4, notV4);
    checkProtocol(ETH_P_IP, careful);
    code_.load(2, kTemp, kData, kFragmentV4);
    code_.jumpIf(BPF_JSET, kTemp, htons(kFragmentMask), careful);
    code_.load(1, kProtocol, kData, kProtocolV4);
    if (auto written = writeProtocols(Version::V4, protocols, careful); !written)
        return written;

    code_.place(notV4);
    code_.compute(BPF_AND, kProtocol, kVersionMask);
    code_.jumpIf(BPF_JNE, kProtocol, kVersion6, careful);
    requireDirect(kHeaderV6, careful);
    checkProtocol(ETH_P_IPV6, careful);
    code_.load(1, kProtocol, kData, kProtocolV6);
    jumpIfExtension(kProtocol, careful);
    return writeProtocols(Version::V6, protocols, careful);
}

// One body for each protocol that rules ask for, and one for all others.
Status Classifier::writeProtocols(Version version, const std::set<std::uint32_t>& protocols, Label careful) {
    const std::uint32_t header = version == Version::V4 ? kHeaderV4 : kHeaderV6;
    std::vector<std::pair<std::uint32_t, Label>> own;
    for (const auto& transport : kTransports)
        own.emplace_back(transport.protocol, code_.label());
    for (const std::uint32_t protocol : protocols)
        if (transportSize(protocol) == 0)
            own.emplace_back(protocol, code_.label());
    for (const auto& [protocol, label] : own)
        code_.jumpIf(BPF_JEQ, kProtocol, protocol, label);
    const Label other = code_.label();
    code_.jump(other);
    for (const auto& [protocol, label] : own) {
        code_.place(label);
        requireDirect(header + transportSize(protocol), careful);
        if (!protocols.contains(protocol)) {
            code_.jump(other);
            continue;
        }
        const Reach reach{kData, 0, header + transportSize(protocol)};
        if (auto written = body(plainView(expressions_, version, protocol), reach); !written)
            return written;
    }
    code_.place(other);
    return body(plainView(expressions_, version, protocols), {kData, 0, header});
}

// ---- all others, step by step ---------------------------------------------------------------------------

Status Classifier::writeCareful() {
    const Label malformed = code_.label();
    const Label isV4 = code_.label();
    const Label isV6 = code_.label();
    code_.load(4, kTemp, kContext, offsetof(__sk_buff, protocol));
    code_.jumpIf(BPF_JEQ, kTemp, htons(ETH_P_IP), isV4);
    code_.jumpIf(BPF_JEQ, kTemp, htons(ETH_P_IPV6), isV6);
    code_.jump(malformed);
    code_.place(isV4);
    if (auto written = writeCarefulV4(malformed); !written)
        return written;
    code_.place(isV6);
    if (auto written = writeCarefulV6(malformed); !written)
        return written;
    code_.place(malformed);
    return body(hiddenView(expressions_, Version::Unknown), {});
}

void Classifier::copyHeader(Version version, Label otherwise) {
    const Reach copy = copied(version);
    code_.move(BPF_REG_1, kContext);
    code_.set(BPF_REG_2, 0);
    code_.move(BPF_REG_3, BPF_REG_10);
    code_.add64(BPF_REG_3, kHeaderCopy);
    code_.set(BPF_REG_4, copy.bytes);
    code_.callHelper(BPF_FUNC_skb_load_bytes);
    code_.jumpIfNegative(BPF_REG_0, otherwise);
    code_.load(1, kTemp, BPF_REG_10, kHeaderCopy);
    code_.compute(BPF_AND, kTemp, kVersionMask);
    code_.jumpIf(BPF_JNE, kTemp, version == Version::V4 ? kVersion4 : kVersion6, otherwise);
}

void Classifier::transportSizeOf(std::uint8_t protocol, std::uint8_t target) {
    const Label done = code_.label();
    code_.set(target, 0);
    for (const auto& transport : kTransports) {
        const Label next = code_.label();
        code_.jumpIf(BPF_JNE, protocol, transport.protocol, next);
        code_.set(target, transport.headerSize);
        code_.jump(done);
        code_.place(next);
    }
    code_.place(done);
}

Status Classifier::writeCarefulV4(Label malformed) {
    const Label hidden = code_.label();
    copyHeader(Version::V4, malformed);
    code_.load(4, kLength, kContext, offsetof(__sk_buff, len));
    code_.load(1, kOffset, BPF_REG_10, kHeaderCopy);
    code_.compute(BPF_AND, kOffset, kHeaderWordsMask);
    code_.compute(BPF_LSH, kOffset, 2);
    code_.jumpIf(BPF_JLT, kOffset, kHeaderV4, malformed);
    code_.jumpIfWith(BPF_JGT, kOffset, kLength, malformed);
    code_.load(2, kTemp, BPF_REG_10, kHeaderCopy + static_cast<std::int32_t>(kFragmentV4));
    code_.jumpIf(BPF_JSET, kTemp, htons(kFragmentMask), hidden);
    code_.load(1, kTemp, BPF_REG_10, kHeaderCopy + static_cast<std::int32_t>(kProtocolV4));
    transportSizeOf(kTemp, BPF_REG_2);
    code_.addWith64(kOffset, BPF_REG_2);
    code_.jumpIfWith(BPF_JGT, kOffset, kLength, hidden);
    if (auto written = body(wholeView(expressions_, Version::V4), copied(Version::V4)); !written)
        return written;
    code_.place(hidden);
    return body(hiddenView(expressions_, Version::V4), copied(Version::V4));
}

Status Classifier::writeCarefulV6(Label malformed) {
    const Label hidden = code_.label();
    const Label plain = code_.label();
    const Label extended = code_.label();
    copyHeader(Version::V6, malformed);
    code_.load(1, kNextHeader, BPF_REG_10, kHeaderCopy + static_cast<std::int32_t>(kProtocolV6));
    code_.set(kOffset, kHeaderV6);
    code_.set(kSeen, 0);
    jumpIfExtension(kNextHeader, extended);
    transportSizeOf(kNextHeader, BPF_REG_2);
    code_.addWith64(kOffset, BPF_REG_2);
    code_.load(4, kLength, kContext, offsetof(__sk_buff, len));
    code_.jumpIfWith(BPF_JLE, kOffset, kLength, plain);
    code_.jump(hidden);

    code_.place(extended);
    walkExtensions(hidden);
    code_.place(hidden);
    code_.store(8, BPF_REG_10, kUpperProtocol, kNextHeader);
    code_.store(1, BPF_REG_10, kExtensions, kSeen);
    if (auto written = body(hiddenView(expressions_, Version::V6), copied(Version::V6)); !written)
        return written;
    code_.place(plain);
    return body(wholeView(expressions_, Version::V6), copied(Version::V6));
}

void Classifier::jumpIfExtension(std::uint8_t protocol, Label to) {
    for (const std::uint8_t header : kExtensionHeaders)
        code_.jumpIf(BPF_JEQ, protocol, header, to);
}

// From the extension header of type kNextHeader at kOffset to the protocol behind all of them.
void Classifier::walkExtensions(Label found) {
    const Label last = code_.label();
    const Label unknown = code_.label();
    for (int i = 0; i < kMaxExtensions; ++i) {
        noteExtension();
        nextExtension(unknown, last, found);
    }
    code_.place(last); // an extension header that is not looked into
    noteExtension();
    code_.place(unknown);
    code_.set(kNextHeader, kUnknownProtocol);
}

void Classifier::noteExtension() {
    const Label noted = code_.label();
    for (const std::uint8_t header : kExtensionHeaders) {
        const Label next = code_.label();
        code_.jumpIf(BPF_JNE, kNextHeader, header, next);
        code_.compute(BPF_OR, kSeen, *extensionBit(header));
        code_.jump(noted);
        code_.place(next);
    }
    code_.place(noted);
}

void Classifier::nextExtension(Label unknown, Label last, Label found) {
    const Label fragment = code_.label();
    const Label authentication = code_.label();
    const Label advance = code_.label();
    const Label more = code_.label();
    code_.move(BPF_REG_1, kContext);
    code_.move(BPF_REG_2, kOffset);
    code_.move(BPF_REG_3, BPF_REG_10);
    code_.add64(BPF_REG_3, kLoaded);
    code_.set(BPF_REG_4, kExtensionUnit);
    code_.callHelper(BPF_FUNC_skb_load_bytes);
    code_.jumpIfNegative(BPF_REG_0, unknown);
    code_.load(1, kTemp, BPF_REG_10, kLoaded + 1); // its length, in units behind the first
    code_.load(1, BPF_REG_2, BPF_REG_10, kLoaded); // the next header
    code_.jumpIf(BPF_JEQ, kNextHeader, kFragmentHeader, fragment);
    code_.jumpIf(BPF_JEQ, kNextHeader, kAuthentication, authentication);
    code_.compute(BPF_ADD, kTemp, 1);
    code_.compute(BPF_LSH, kTemp, 3);
    code_.jump(advance);
    code_.place(authentication); // counts in words
    code_.compute(BPF_ADD, kTemp, 2);
    code_.compute(BPF_LSH, kTemp, 2);
    code_.jump(advance);
    code_.place(fragment);
    code_.set(kTemp, kExtensionUnit);
    code_.load(2, BPF_REG_3, BPF_REG_10, kLoaded + 2);
    code_.jumpIf(BPF_JSET, BPF_REG_3, htons(kFragmentOffsetMask), more);
    code_.place(advance);
    code_.addWith64(kOffset, kTemp);
    code_.move(kNextHeader, BPF_REG_2);
    const Label again = code_.label();
    jumpIfExtension(kNextHeader, again);
    code_.jump(found);
    code_.place(more); // not the first fragment: what follows is data
    code_.move(kNextHeader, BPF_REG_2);
    jumpIfExtension(kNextHeader, last);
    code_.jump(found);
    code_.place(again);
}

} // namespace filterd::packet
