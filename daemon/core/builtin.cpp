#include "core/builtin.hpp"

#include "core/assembler.hpp"
#include "core/integers.hpp"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>

namespace filterd {

namespace {

constexpr int kIpv4 = 0x0800; // ether types
constexpr int kIpv6 = 0x86dd;
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

std::vector<bpf_insn> always(int verdict) {
    Assembler code;
    code.set(kResult, verdict);
    code.leave();
    return code.finish();
}

// The globals of mtu.
constexpr std::uint32_t kMtuBytes = 0;
constexpr std::uint32_t kMode = 4;
constexpr std::uint32_t kDropped = 8;
constexpr std::uint32_t kPassed = 16;
constexpr std::uint32_t kUnparsable = 24;
constexpr std::size_t kGlobalsSize = 32;
constexpr std::int32_t kWhole = 1;

// bpf/mtu.bpf.c and the parts of bpf/packet.h that it needs, by hand.
class MtuAssembly {
  public:
    std::vector<bpf_insn> assemble() {
        code_.copy(kContext, kOne);
        code_.load(BPF_W, kSize, kContext, offsetof(__sk_buff, len));
        code_.loadGlobals(kOne);
        code_.load(BPF_W, kTwo, kOne, kMode);
        code_.goIf(BPF_JEQ, kTwo, kWhole, judge_);
        code_.load(BPF_W, kTwo, kContext, offsetof(__sk_buff, gso_size));
        code_.goIf(BPF_JEQ, kTwo, 0, judge_);
        code_.load(BPF_W, kTwo, kContext, offsetof(__sk_buff, protocol));
        code_.goIf(BPF_JEQ, kTwo, htons(kIpv6), ipv6_);
        code_.goIf(BPF_JNE, kTwo, htons(kIpv4), unparsable_);
        readIpv4();
        readIpv6();
        addTransport();
        count(kUnparsable, unparsable_);
        decide();
        return code_.finish();
    }

  private:
    // Bytes at kOffset into the buffer.
    void fetch(int bytes) {
        code_.copy(kOne, kContext);
        code_.copy(kTwo, kOffset);
        code_.copy(kThree, kFramePointer);
        code_.compute(BPF_ADD, kThree, kBuffer);
        code_.set(kFour, bytes);
        code_.call(BPF_FUNC_skb_load_bytes);
        code_.goIf(BPF_JNE, kResult, 0, unparsable_);
    }
    void byteOf(std::uint8_t to, int index) { code_.load(BPF_B, to, kFramePointer, kBuffer + index); }
    // Two bytes of the buffer in network order.
    void wordOf(std::uint8_t to, int index) {
        byteOf(to, index);
        code_.compute(BPF_LSH, to, 8);
        byteOf(kTwo, index + 1);
        code_.add(to, kTwo);
    }

    void readIpv4() {
        code_.set(kOffset, 0);
        fetch(10);
        byteOf(kOne, 0);
        code_.copy(kTwo, kOne);
        code_.compute(BPF_RSH, kTwo, 4);
        code_.goIf(BPF_JNE, kTwo, 4, unparsable_);
        code_.compute(BPF_AND, kOne, 15);
        code_.compute(BPF_LSH, kOne, 2);
        code_.goIf(BPF_JLT, kOne, 20, unparsable_);
        code_.goIfRegister(BPF_JGT, kOne, kSize, unparsable_);
        code_.copy(kOffset, kOne);
        wordOf(kOne, 6);
        code_.compute(BPF_AND, kOne, 0x1fff); // behind the first fragment there is no transport header
        code_.goIf(BPF_JNE, kOne, 0, unparsable_);
        byteOf(kProtocol, 9);
        code_.go(transport_);
    }

    void readIpv6() {
        code_.mark(ipv6_);
        code_.goIf(BPF_JLT, kSize, 40, unparsable_);
        code_.set(kOffset, 0);
        fetch(7);
        byteOf(kOne, 0);
        code_.compute(BPF_RSH, kOne, 4);
        code_.goIf(BPF_JNE, kOne, 6, unparsable_);
        byteOf(kProtocol, 6);
        code_.set(kOffset, 40);
        for (int i = 0; i < kMaxExtensions; ++i)
            skipExtension();
        code_.go(unparsable_);
    }

    void skipExtension() {
        const auto counted = code_.newPlace();
        const auto fragment = code_.newPlace();
        const auto authentication = code_.newPlace();
        const auto next = code_.newPlace();
        for (const int one : {0, 43, 60, 135, 139, 140})
            code_.goIf(BPF_JEQ, kProtocol, one, counted);
        code_.goIf(BPF_JEQ, kProtocol, 44, fragment);
        code_.goIf(BPF_JEQ, kProtocol, 51, authentication);
        code_.go(transport_);

        code_.mark(counted);
        fetch(2);
        skipBy(1, 3, next);
        code_.mark(authentication);
        fetch(2);
        skipBy(2, 2, next);
        code_.mark(fragment);
        fetch(4);
        wordOf(kOne, 2);
        code_.compute(BPF_AND, kOne, 0xfff8);
        code_.goIf(BPF_JNE, kOne, 0, unparsable_);
        byteOf(kProtocol, 0);
        code_.compute(BPF_ADD, kOffset, 8);
        code_.mark(next);
    }

    // The header's own length: its second byte and some, in units of 2^shift bytes.
    void skipBy(int more, int shift, Assembler::Place next) {
        byteOf(kProtocol, 0);
        byteOf(kOne, 1);
        code_.compute(BPF_ADD, kOne, more);
        code_.compute(BPF_LSH, kOne, shift);
        code_.add(kOffset, kOne);
        code_.go(next);
    }

    void addTransport() {
        const auto tcp = code_.newPlace();
        const auto sized = code_.newPlace();
        code_.mark(transport_);
        code_.goIfRegister(BPF_JGT, kOffset, kSize, unparsable_);
        code_.goIf(BPF_JEQ, kProtocol, IPPROTO_TCP, tcp);
        code_.goIf(BPF_JNE, kProtocol, IPPROTO_UDP, unparsable_);
        code_.compute(BPF_ADD, kOffset, 8);
        code_.go(sized);
        code_.mark(tcp);
        code_.compute(BPF_ADD, kOffset, 12);
        fetch(1);
        byteOf(kOne, 0);
        code_.compute(BPF_RSH, kOne, 4);
        code_.compute(BPF_LSH, kOne, 2);
        code_.add(kOffset, kOne);
        code_.compute(BPF_SUB, kOffset, 12);
        code_.mark(sized);
        code_.load(BPF_W, kOne, kContext, offsetof(__sk_buff, gso_size));
        code_.add(kOne, kOffset);
        code_.goIfRegister(BPF_JGE, kOne, kSize, judge_);
        code_.copy(kSize, kOne);
        code_.go(judge_);
    }

    void count(std::uint32_t counter, Assembler::Place place) {
        code_.mark(place);
        code_.loadGlobals(kOne);
        code_.set(kTwo, 1);
        code_.addAtomically(kOne, static_cast<int>(counter), kTwo);
    }

    void decide() {
        const auto drop = code_.newPlace();
        const auto pass = code_.newPlace();
        code_.mark(judge_);
        code_.loadGlobals(kOne);
        code_.load(BPF_W, kTwo, kOne, kMtuBytes);
        code_.goIfRegister(BPF_JGT, kSize, kTwo, drop);
        count(kPassed, pass);
        code_.set(kResult, 1);
        code_.leave();
        count(kDropped, drop);
        code_.set(kResult, 0);
        code_.leave();
    }

    static constexpr int kMaxExtensions = 8; // as in bpf/packet.h

    Assembler code_;
    Assembler::Place judge_ = code_.newPlace();
    Assembler::Place unparsable_ = code_.newPlace();
    Assembler::Place ipv6_ = code_.newPlace();
    Assembler::Place transport_ = code_.newPlace();
};

ValueType unsignedInteger(std::uint32_t size) {
    ValueType type;
    type.kind = ValueKind::Integer;
    type.size = size;
    return type;
}

Builtin mtu() {
    ValueType mode;
    mode.kind = ValueKind::Enumeration;
    mode.size = 4;
    mode.enumerators = {{"segment", 0}, {"whole", kWhole}};
    const auto live = [](const char* name, const ValueType& type, std::uint32_t offset) {
        return Parameter{name, type, Settable::Live, 0, offset};
    };
    Builtin result{.instructions = MtuAssembly().assemble()};
    result.parameters = {live("mtu_bytes", unsignedInteger(4), kMtuBytes), live("mode", mode, kMode),
                         live("dropped_packets", unsignedInteger(8), kDropped),
                         live("passed_packets", unsignedInteger(8), kPassed),
                         live("unparsable_packets", unsignedInteger(8), kUnparsable)};
    result.globals.resize(kGlobalsSize);
    storeInteger(1500, false, std::span(result.globals).subspan(kMtuBytes, 4));
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
