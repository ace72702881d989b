// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/ebpf/builtin.hpp"

#include "core/ebpf/assembler.hpp"
#include "core/value/integers.hpp"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>

namespace filterd {

namespace {

using packet::Assembler;
using packet::Label;

constexpr std::uint16_t kIpv4 = 0x0800; // ether types
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint8_t kResult = 0;
constexpr std::uint8_t kFramePointer = 10;
// Kept over calls.
constexpr std::uint8_t kContext = 6;
constexpr std::uint8_t kSize = 7;
constexpr std::uint8_t kProtocol = 8;
constexpr std::uint8_t kOffset = 9;
// Scratch.
constexpr std::uint8_t kOne = 1;
constexpr std::uint8_t kTwo = 2;
constexpr std::uint8_t kThree = 3;
constexpr std::uint8_t kFour = 4;
constexpr int kBuffer = -16;

// Programs this short have no jump that is too far.
std::vector<bpf_insn> finished(Assembler& code) { return code.finish().value_or(std::vector<bpf_insn>{}); }

std::vector<bpf_insn> always(std::uint32_t verdict) {
    Assembler code;
    code.set(kResult, verdict);
    code.exit();
    return finished(code);
}

// The globals of mtu.
constexpr std::int64_t kLeastMtu = 68;    // of IPv4, as in bpf/mtu.bpf.c
constexpr std::int64_t kMostMtu = 524280; // no packet is larger, even before it is segmented
constexpr std::int32_t kMtuBytes = 0;
constexpr std::int32_t kMode = 4;
constexpr std::int32_t kDropped = 8;
constexpr std::int32_t kPassed = 16;
constexpr std::int32_t kUnparsable = 24;
constexpr std::size_t kGlobalsSize = 32;
constexpr std::uint32_t kWhole = 1;

// bpf/mtu.bpf.c and the parts of bpf/packet.h that it needs, by hand.
class MtuAssembly {
  public:
    std::vector<bpf_insn> assemble() {
        code_.move(kContext, kOne);
        code_.load(4, kSize, kContext, offsetof(__sk_buff, len));
        code_.loadGlobals(kOne);
        code_.load(4, kTwo, kOne, kMode);
        code_.jumpIf(BPF_JEQ, kTwo, kWhole, judge_);
        code_.load(4, kTwo, kContext, offsetof(__sk_buff, gso_size));
        code_.jumpIf(BPF_JEQ, kTwo, 0, judge_);
        code_.load(4, kTwo, kContext, offsetof(__sk_buff, protocol));
        code_.jumpIf(BPF_JEQ, kTwo, htons(kIpv6), ipv6_);
        code_.jumpIf(BPF_JNE, kTwo, htons(kIpv4), unparsable_);
        readIpv4();
        readIpv6();
        addTransport();
        count(kUnparsable, unparsable_);
        decide();
        return finished(code_);
    }

  private:
    // Bytes at kOffset into the buffer.
    void fetch(std::uint32_t bytes) {
        code_.move(kOne, kContext);
        code_.move(kTwo, kOffset);
        code_.move(kThree, kFramePointer);
        code_.add64(kThree, kBuffer);
        code_.set(kFour, bytes);
        code_.callHelper(BPF_FUNC_skb_load_bytes);
        code_.jumpIf(BPF_JNE, kResult, 0, unparsable_);
    }
    void byteOf(std::uint8_t to, int index) { code_.load(1, to, kFramePointer, kBuffer + index); }
    // Two bytes of the buffer in network order.
    void wordOf(std::uint8_t to, int index) {
        byteOf(to, index);
        code_.compute(BPF_LSH, to, 8);
        byteOf(kTwo, index + 1);
        code_.computeWith(BPF_ADD, to, kTwo);
    }

    void readIpv4() {
        code_.set(kOffset, 0);
        fetch(10);
        byteOf(kOne, 0);
        code_.move(kTwo, kOne);
        code_.compute(BPF_RSH, kTwo, 4);
        code_.jumpIf(BPF_JNE, kTwo, 4, unparsable_);
        code_.compute(BPF_AND, kOne, 15);
        code_.compute(BPF_LSH, kOne, 2);
        code_.jumpIf(BPF_JLT, kOne, 20, unparsable_);
        code_.jumpIfWith(BPF_JGT, kOne, kSize, unparsable_);
        code_.move(kOffset, kOne);
        wordOf(kOne, 6);
        code_.compute(BPF_AND, kOne, 0x1fff); // behind the first fragment there is no transport header
        code_.jumpIf(BPF_JNE, kOne, 0, unparsable_);
        byteOf(kProtocol, 9);
        code_.jump(transport_);
    }

    void readIpv6() {
        code_.place(ipv6_);
        code_.jumpIf(BPF_JLT, kSize, 40, unparsable_);
        code_.set(kOffset, 0);
        fetch(7);
        byteOf(kOne, 0);
        code_.compute(BPF_RSH, kOne, 4);
        code_.jumpIf(BPF_JNE, kOne, 6, unparsable_);
        byteOf(kProtocol, 6);
        code_.set(kOffset, 40);
        for (int i = 0; i < kMaxExtensions; ++i)
            skipExtension();
        code_.jump(unparsable_);
    }

    void skipExtension() {
        const auto counted = code_.label();
        const auto fragment = code_.label();
        const auto authentication = code_.label();
        const auto next = code_.label();
        for (const std::uint32_t one : {0U, 43U, 60U, 135U, 139U, 140U})
            code_.jumpIf(BPF_JEQ, kProtocol, one, counted);
        code_.jumpIf(BPF_JEQ, kProtocol, 44, fragment);
        code_.jumpIf(BPF_JEQ, kProtocol, 51, authentication);
        code_.jump(transport_);

        code_.place(counted);
        fetch(2);
        skipBy(1, 3, next);
        code_.place(authentication);
        fetch(2);
        skipBy(2, 2, next);
        code_.place(fragment);
        fetch(4);
        wordOf(kOne, 2);
        code_.compute(BPF_AND, kOne, 0xfff8);
        code_.jumpIf(BPF_JNE, kOne, 0, unparsable_);
        byteOf(kProtocol, 0);
        code_.compute(BPF_ADD, kOffset, 8);
        code_.place(next);
    }

    // The header's own length: its second byte and some, in units of 2^shift bytes.
    void skipBy(std::uint32_t more, std::uint32_t shift, Label next) {
        byteOf(kProtocol, 0);
        byteOf(kOne, 1);
        code_.compute(BPF_ADD, kOne, more);
        code_.compute(BPF_LSH, kOne, shift);
        code_.computeWith(BPF_ADD, kOffset, kOne);
        code_.jump(next);
    }

    void addTransport() {
        const auto tcp = code_.label();
        const auto sized = code_.label();
        code_.place(transport_);
        code_.jumpIfWith(BPF_JGT, kOffset, kSize, unparsable_);
        code_.jumpIf(BPF_JEQ, kProtocol, IPPROTO_TCP, tcp);
        code_.jumpIf(BPF_JNE, kProtocol, IPPROTO_UDP, unparsable_);
        code_.compute(BPF_ADD, kOffset, 8);
        code_.jump(sized);
        code_.place(tcp);
        code_.compute(BPF_ADD, kOffset, 12);
        fetch(1);
        byteOf(kOne, 0);
        code_.compute(BPF_RSH, kOne, 4);
        code_.compute(BPF_LSH, kOne, 2);
        code_.computeWith(BPF_ADD, kOffset, kOne);
        code_.compute(BPF_SUB, kOffset, 12);
        code_.place(sized);
        code_.load(4, kOne, kContext, offsetof(__sk_buff, gso_size));
        code_.computeWith(BPF_ADD, kOne, kOffset);
        code_.jumpIfWith(BPF_JGE, kOne, kSize, judge_);
        code_.move(kSize, kOne);
        code_.jump(judge_);
    }

    void count(std::int32_t counter, Label label) {
        code_.place(label);
        code_.loadGlobals(kOne);
        code_.set(kTwo, 1);
        code_.addAtomically(kOne, counter, kTwo);
    }

    void decide() {
        const auto drop = code_.label();
        const auto pass = code_.label();
        code_.place(judge_);
        code_.loadGlobals(kOne);
        code_.load(4, kTwo, kOne, kMtuBytes);
        code_.jumpIfWith(BPF_JGT, kSize, kTwo, drop);
        count(kPassed, pass);
        code_.set(kResult, 1);
        code_.exit();
        count(kDropped, drop);
        code_.set(kResult, 0);
        code_.exit();
    }

    static constexpr int kMaxExtensions = 8; // as in bpf/packet.h

    Assembler code_;
    Label judge_ = code_.label();
    Label unparsable_ = code_.label();
    Label ipv6_ = code_.label();
    Label transport_ = code_.label();
};

ValueType unsignedInteger(std::uint32_t size, std::optional<std::int64_t> least = std::nullopt,
                          std::optional<std::int64_t> most = std::nullopt) {
    ValueType type;
    type.kind = ValueKind::Integer;
    type.size = size;
    type.least = least;
    type.most = most;
    return type;
}

Builtin mtu() {
    ValueType mode;
    mode.kind = ValueKind::Enumeration;
    mode.size = 4;
    mode.enumerators = {{"segment", 0}, {"whole", kWhole}};
    const auto live = [](const char* name, const ValueType& type, std::int32_t offset) {
        return Parameter{name, type, Settable::Live, 0, static_cast<std::uint32_t>(offset)};
    };
    Builtin result{.instructions = MtuAssembly().assemble()};
    result.parameters = {live("mtu_bytes", unsignedInteger(4, kLeastMtu, kMostMtu), kMtuBytes),
                         live("mode", mode, kMode), live("dropped_packets", unsignedInteger(8), kDropped),
                         live("passed_packets", unsignedInteger(8), kPassed),
                         live("unparsable_packets", unsignedInteger(8), kUnparsable)};
    result.globals.resize(kGlobalsSize);
    storeInteger(1500, false, std::span(result.globals).subspan(static_cast<std::size_t>(kMtuBytes), 4));
    return result;
}

} // namespace

std::optional<Builtin> builtin(std::string_view name) {
    if (name == "drop")
        return Builtin{.instructions = always(0)};
    if (name == "pass")
        return Builtin{.instructions = always(1)};
    return name == "mtu" ? std::optional(mtu()) : std::nullopt;
}

} // namespace filterd
