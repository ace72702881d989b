// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "tests/kernel/packets/packet_model.hpp"

#include "tests/kernel/packets/libpcap_filter.hpp"

#include <algorithm>
#include <array>
#include <compare>

namespace filterd::test {

namespace {

using packet::Verdict;

// ---- what can be seen -----------------------------------------------------------------------------------

struct Sight {
    bool whole = true;
    std::size_t visible = 0;
    int version = 0;
    bool fragment = false;                                // not the first of an IPv4 packet
    std::set<unsigned> extensions = {};                   // the kinds of IPv6 extension headers seen
    std::optional<unsigned> upperProtocol = std::nullopt; // of IPv6; none: cannot be told
};

bool isExtension(unsigned protocol) {
    return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 || protocol == 60 ||
           protocol == 135 || protocol == 139 || protocol == 140;
}

std::size_t leastHeader(unsigned protocol) {
    switch (protocol) {
    case 6:
        return 20;
    case 1:
    case 17:
    case 58:
    case 136:
        return 8;
    case 33:
    case 132:
        return 12;
    default:
        return 0;
    }
}

// Notes what is seen on the way.
std::optional<unsigned> walkExtensions(const std::vector<std::uint8_t>& p, std::set<unsigned>& seen) {
    unsigned type = p[6];
    std::size_t at = 40;
    for (int headers = 0; isExtension(type); ++headers) {
        seen.insert(type);
        if (headers == 8 || at + 8 > p.size())
            return std::nullopt;
        const unsigned next = p[at];
        if (type == 44) {
            const bool later = ((p[at + 2] << 8 | p[at + 3]) & 0xfff8) != 0;
            if (later && isExtension(next)) {
                seen.insert(next);
                return std::nullopt;
            }
            if (later)
                return next;
            at += 8;
        } else {
            at += type == 51 ? (p[at + 1] + 2U) * 4 : (p[at + 1] + 1U) * 8;
        }
        type = next;
    }
    return type;
}

Sight sightV4(const std::vector<std::uint8_t>& p) {
    const std::size_t header = p.empty() ? 0 : (p[0] & 0xfU) * 4;
    if (p.size() < 20 || p[0] >> 4 != 4 || header < 20 || header > p.size())
        return {.whole = false};
    const bool fragment = ((p[6] << 8 | p[7]) & 0x1fff) != 0;
    const bool cut = header + leastHeader(p[9]) > p.size();
    return {.whole = !fragment && !cut, .visible = 20, .version = 4, .fragment = fragment};
}

Sight sightV6(const std::vector<std::uint8_t>& p) {
    if (p.size() < 40 || p[0] >> 4 != 6)
        return {.whole = false};
    const bool whole = !isExtension(p[6]) && 40 + leastHeader(p[6]) <= p.size();
    Sight sight{.whole = whole, .visible = 40, .version = 6};
    sight.upperProtocol = walkExtensions(p, sight.extensions);
    return sight;
}

Sight sightOf(const Packet& packet) {
    if (packet.etherType == 0x0800)
        return sightV4(packet.bytes);
    if (packet.etherType == 0x86dd)
        return sightV6(packet.bytes);
    return {.whole = false};
}

// ---- a classic program on a packet that is partly hidden ------------------------------------------------

struct Value {
    std::uint32_t number = 0;
    bool hidden = false;
    bool fixed = true; // no part of the packet is in it
    int origin = -1;   // a load of this offset, from which `less` was taken
    int size = 0;
    std::uint32_t less = 0;
    bool taken = false;     // the load was taken from `less`
    std::uint64_t mask = 0; // the load's bits that are left, and how far they have gone to the right
    unsigned shift = 0;
    auto operator<=>(const Value&) const = default;
};

constexpr int kFragmentOffset = -2; // as an origin

struct Machine {
    std::size_t at = 0;
    Value a{};
    Value x{};
    std::array<Value, BPF_MEMWORDS> scratch{};
    bool looked = false; // at what is hidden
    bool mayEnd = false; // without a match, for a division by 0
    bool mustEnd = false;
};

int sizeOf(const sock_filter& insn) {
    return BPF_SIZE(insn.code) == BPF_W ? 4 : BPF_SIZE(insn.code) == BPF_H ? 2 : 1;
}

bool divides(const sock_filter& insn) { return BPF_OP(insn.code) == BPF_DIV || BPF_OP(insn.code) == BPF_MOD; }

std::uint32_t compute(std::uint16_t operation, std::uint32_t l, std::uint32_t r) {
    switch (operation) {
    case BPF_ADD:
        return l + r;
    case BPF_SUB:
        return l - r;
    case BPF_MUL:
        return l * r;
    case BPF_DIV:
        return r == 0 ? 0 : l / r;
    case BPF_MOD:
        return r == 0 ? 0 : l % r;
    case BPF_AND:
        return l & r;
    case BPF_OR:
        return l | r;
    case BPF_XOR:
        return l ^ r;
    case BPF_LSH:
        return r > 31 ? 0 : l << r;
    case BPF_RSH:
        return r > 31 ? 0 : l >> r;
    default:
        return 0 - l;
    }
}

bool compares(std::uint16_t operation, std::uint32_t l, std::uint32_t r) {
    switch (operation) {
    case BPF_JEQ:
        return l == r;
    case BPF_JGE:
        return l >= r;
    case BPF_JGT:
        return l > r;
    default:
        return (l & r) != 0;
    }
}

std::uint64_t bitsOf(int size) { return (std::uint64_t{1} << 8 * size) - 1; }

bool isUncut(const Value& value) { return value.mask == bitsOf(value.size) && value.shift == 0; }

// Notes what is still known to be asked of a load, behind one calculation more with a constant.
void trace(Value& result, std::uint16_t operation, Value left, Value right) {
    if (operation == BPF_AND && left.fixed)
        std::swap(left, right);
    const bool takes = operation == BPF_SUB && left.fixed;
    const Value& load = takes ? right : left;
    const Value& other = takes ? left : right;
    const bool isPlain = load.less == 0 && !load.taken;
    if (load.origin < 0 || !other.fixed || (!isPlain && (takes || operation != BPF_SUB)))
        return;
    Value traced = load;
    if (operation == BPF_SUB) {
        traced.less = load.taken ? load.less - other.number : load.less + other.number;
        traced.taken |= takes;
    } else if (operation == BPF_AND) {
        traced.mask &= std::uint64_t{other.number} << load.shift;
    } else if (operation == BPF_RSH && other.number < 32 && load.shift < 32) {
        traced.shift += other.number;
        traced.mask &= ~std::uint64_t{0} << traced.shift;
    } else {
        return;
    }
    traced.number = result.number;
    traced.hidden = result.hidden;
    traced.fixed = result.fixed;
    result = traced;
}

Value calculate(const sock_filter& insn, const Value& left, const Value& right) {
    const bool negates = BPF_OP(insn.code) == BPF_NEG;
    Value result{compute(BPF_OP(insn.code), left.number, right.number), left.hidden, left.fixed};
    if (!negates) {
        result.hidden |= right.hidden;
        result.fixed &= right.fixed;
    }
    trace(result, BPF_OP(insn.code), left, right);
    // A fragment's offset.
    const bool isLoad = left.origin == 6 && left.size == 2 && left.less == 0 && isUncut(left);
    if (isLoad && right.fixed && BPF_OP(insn.code) == BPF_AND && right.number == 0x1fff)
        result.origin = kFragmentOffset;
    if (left.origin == kFragmentOffset && BPF_OP(insn.code) == BPF_SUB && right.fixed) {
        result.origin = kFragmentOffset;
        result.less = left.less + right.number;
    }
    return result;
}

class HiddenRun {
  public:
    HiddenRun(const packet::CbpfProgram& program, const Packet& packet, const Sight& sight)
        : program_(program), bytes_(packet.bytes), sight_(sight) {
        findLive();
    }

    // The ends it can come to: true is a match.
    std::set<bool> ends() {
        std::vector<Machine> open{{}};
        std::set<bool> ends;
        std::set<std::pair<std::size_t, std::vector<Value>>> seen;
        while (!open.empty() && ends.size() < 2) {
            Machine machine = open.back();
            open.pop_back();
            if (!seen.emplace(machine.at, liveValues(machine)).second)
                continue;
            runToJump(machine);
            if (machine.mayEnd)
                ends.insert(false);
            if (machine.mustEnd)
                continue;
            const auto& insn = program_[machine.at];
            if (BPF_CLASS(insn.code) == BPF_RET)
                ends.insert(insn.k != 0);
            else
                for (const bool yes : answers(machine))
                    open.push_back(behind(machine, yes));
        }
        return ends;
    }

  private:
    void runToJump(Machine& machine) const;
    void load(Machine& machine) const;
    Value read(std::uint64_t offset, int size) const;
    Machine behind(const Machine& machine, bool yes) const;
    Value operand(const Machine& machine) const {
        const auto& insn = program_[machine.at];
        return BPF_SRC(insn.code) == BPF_X ? machine.x : Value{insn.k};
    }
    std::set<bool> answers(const Machine& machine) const;
    std::set<bool> answersOfHeader(std::uint32_t asked) const;
    std::optional<std::uint32_t> askedHeader(std::uint16_t operation, const Value& left,
                                             const Value& right) const;
    bool looksBeyond(const Machine& machine) const;
    void findLive();
    std::vector<Value> liveValues(const Machine& machine) const;

    const packet::CbpfProgram& program_;
    const std::vector<std::uint8_t>& bytes_;
    const Sight& sight_;
    std::vector<unsigned> live_; // what is read later, before each instruction: a bit for A, X and each word
};

struct Access {
    unsigned reads = 0;
    unsigned writes = 0;
};

Access accessOf(const sock_filter& insn) {
    constexpr unsigned a = 1;
    constexpr unsigned x = 2;
    const unsigned word = 4U << insn.k % BPF_MEMWORDS;
    const unsigned operand = BPF_SRC(insn.code) == BPF_X ? x : 0;
    switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
    case BPF_LDX: {
        const unsigned target = BPF_CLASS(insn.code) == BPF_LD ? a : x;
        return {BPF_MODE(insn.code) == BPF_IND ? x : BPF_MODE(insn.code) == BPF_MEM ? word : 0, target};
    }
    case BPF_ST:
        return {a, word};
    case BPF_STX:
        return {x, word};
    case BPF_ALU:
        return {a | operand, 0};
    case BPF_JMP:
        return {BPF_OP(insn.code) == BPF_JA ? 0 : a | operand, 0};
    case BPF_RET:
        return {};
    default:
        return BPF_MISCOP(insn.code) == BPF_TAX ? Access{a, x} : Access{x, a};
    }
}

void HiddenRun::findLive() {
    live_.assign(program_.size() + 1, 0);
    for (std::size_t at = program_.size(); at-- > 0;) {
        const auto& insn = program_[at];
        unsigned later = live_[at + 1];
        if (BPF_CLASS(insn.code) == BPF_RET)
            later = 0;
        else if (BPF_CLASS(insn.code) == BPF_JMP)
            later = BPF_OP(insn.code) == BPF_JA ? live_[at + 1 + insn.k]
                                                : live_[at + 1U + insn.jt] | live_[at + 1U + insn.jf];
        const Access access = accessOf(insn);
        live_[at] = access.reads | (later & ~access.writes);
    }
}

std::vector<Value> HiddenRun::liveValues(const Machine& machine) const {
    std::vector<Value> values;
    const unsigned live = live_[machine.at];
    if ((live & 1) != 0)
        values.push_back(machine.a);
    if ((live & 2) != 0)
        values.push_back(machine.x);
    for (unsigned word = 0; word < machine.scratch.size(); ++word)
        if ((live & 4U << word) != 0)
            values.push_back(machine.scratch[word]);
    return values;
}

Value HiddenRun::read(std::uint64_t offset, int size) const {
    Value value{0, false, false, static_cast<int>(offset), size};
    value.mask = bitsOf(size);
    value.hidden = offset + static_cast<std::uint64_t>(size) > sight_.visible;
    for (int i = 0; i < size && !value.hidden; ++i)
        value.number = value.number << 8 | bytes_[offset + static_cast<std::size_t>(i)];
    return value;
}

void HiddenRun::load(Machine& machine) const {
    const auto& insn = program_[machine.at];
    Value& target = BPF_CLASS(insn.code) == BPF_LDX ? machine.x : machine.a;
    switch (BPF_MODE(insn.code)) {
    case BPF_IMM:
        target = {insn.k};
        return;
    case BPF_MEM:
        target = machine.scratch[insn.k];
        return;
    case BPF_LEN:
        target = {static_cast<std::uint32_t>(bytes_.size()), false, false};
        return;
    case BPF_MSH:
        target = read(insn.k, 1);
        target = {(target.number & 0xf) << 2, target.hidden, false};
        break;
    case BPF_IND:
        // Where the offset hangs on the packet, it leads beyond the header.
        target = machine.x.fixed ? read(std::uint64_t{machine.x.number} + insn.k, sizeOf(insn))
                                 : Value{0, true, false};
        break;
    default:
        target = read(insn.k, sizeOf(insn));
    }
    machine.looked |= target.hidden;
}

void HiddenRun::runToJump(Machine& machine) const {
    for (;; ++machine.at) {
        const auto& insn = program_[machine.at];
        switch (BPF_CLASS(insn.code)) {
        case BPF_LD:
        case BPF_LDX:
            load(machine);
            break;
        case BPF_ST:
            machine.scratch[insn.k] = machine.a;
            break;
        case BPF_STX:
            machine.scratch[insn.k] = machine.x;
            break;
        case BPF_ALU: {
            const Value right = operand(machine);
            machine.mustEnd = divides(insn) && !right.hidden && right.number == 0;
            machine.mayEnd |= divides(insn) && (right.hidden || right.number == 0);
            if (machine.mustEnd)
                return;
            machine.a = calculate(insn, machine.a, right);
            break;
        }
        case BPF_MISC:
            (BPF_MISCOP(insn.code) == BPF_TAX ? machine.x : machine.a) =
                BPF_MISCOP(insn.code) == BPF_TAX ? machine.a : machine.x;
            break;
        default:
            return;
        }
    }
}

Machine HiddenRun::behind(const Machine& machine, bool yes) const {
    const auto& insn = program_[machine.at];
    Machine next = machine;
    const bool always = BPF_OP(insn.code) == BPF_JA;
    next.at += 1U + (always ? insn.k : yes ? insn.jt : insn.jf);
    return next;
}

// Whether any way from here looks at what is hidden.
bool HiddenRun::looksBeyond(const Machine& machine) const {
    std::vector<Machine> open{machine};
    std::set<std::size_t> seen;
    while (!open.empty()) {
        Machine now = open.back();
        open.pop_back();
        if (!seen.insert(now.at).second)
            continue;
        now.looked = false;
        runToJump(now);
        if (now.looked)
            return true;
        const auto& insn = program_[now.at];
        if (now.mustEnd || BPF_CLASS(insn.code) == BPF_RET)
            continue;
        const Value right = operand(now);
        const bool settled = BPF_OP(insn.code) == BPF_JA || (now.a.fixed && right.fixed);
        const bool yes = compares(BPF_OP(insn.code), now.a.number, right.number);
        open.push_back(behind(now, yes));
        if (!settled)
            open.push_back(behind(now, !yes));
    }
    return false;
}

// Every header of the chain counts.
std::set<bool> HiddenRun::answersOfHeader(std::uint32_t asked) const {
    if (asked > 255)
        return {false};
    if (sight_.extensions.contains(asked) || sight_.upperProtocol == asked)
        return {true};
    return sight_.upperProtocol ? std::set<bool>{false} : std::set<bool>{true, false};
}

// Which next header a comparison asks for, if it does and for nothing else.
std::optional<std::uint32_t> HiddenRun::askedHeader(std::uint16_t operation, const Value& left,
                                                    const Value& right) const {
    if (sight_.version != 6 || operation != BPF_JEQ || !right.fixed || left.origin < 0)
        return std::nullopt;
    const std::uint32_t asked = left.taken ? left.less - right.number : right.number + left.less;
    const bool isByte = left.size == 1 && isUncut(left);
    if (isByte && left.origin == 40 && (sight_.extensions.contains(44) || asked > 255))
        return asked;
    if (isByte && left.origin == 6)
        return asked;
    // The byte as a part of a wider load.
    const int behind = left.origin + left.size - 7; // bytes
    if (left.origin > 6 || behind < 0 || left.mask != std::uint64_t{0xff} << 8 * behind)
        return std::nullopt;
    const auto place = 8U * static_cast<unsigned>(behind) - left.shift;
    return (asked & ~(0xffU << place)) == 0 ? std::optional(asked >> place) : std::nullopt;
}

std::set<bool> HiddenRun::answers(const Machine& machine) const {
    const auto& insn = program_[machine.at];
    const std::uint16_t operation = BPF_OP(insn.code);
    const Value right = operand(machine);
    const Value& left = machine.a;
    if (operation == BPF_JA)
        return {true};
    if (const auto asked = askedHeader(operation, left, right))
        return answersOfHeader(*asked);
    if (left.hidden || right.hidden)
        return {true, false};
    const bool yes = compares(operation, left.number, right.number);
    const bool offsetAsked =
        left.origin == kFragmentOffset || (operation == BPF_JSET && left.origin == 6 && left.size == 2 &&
                                           isUncut(left) && right.number == 0x1fff);
    if (sight_.fragment && offsetAsked &&
        looksBeyond(behind(machine, compares(operation, 0 - left.less, right.number))))
        return {true, false};
    return {yes};
}

// ---- rules in a row -------------------------------------------------------------------------------------

} // namespace

Decided judge(const packet::RulesInput& rules, const Packet& packet) {
    const Sight sight = sightOf(packet);
    std::set<Verdict> pending;
    const auto decided = [&](std::uint32_t by, Verdict verdict) {
        for (const Verdict other : pending)
            if (other != verdict)
                return Decided{packet::kByUnparsable, rules.unparsable, true};
        return Decided{by, verdict, !sight.whole};
    };
    for (std::size_t i = 0; i < rules.rules.size(); ++i) {
        const auto& rule = rules.rules[i];
        const std::set<bool> ends = sight.whole ? std::set<bool>{libpcapMatches(rule.program, packet.bytes)}
                                                : HiddenRun(rule.program, packet, sight).ends();
        if (ends.size() == 2)
            pending.insert(rule.verdict);
        else if (*ends.begin())
            return decided(packet::kFirstRule + static_cast<std::uint32_t>(i), rule.verdict);
        if (pending.size() == 2)
            return {packet::kByUnparsable, rules.unparsable, true};
    }
    return decided(packet::kByDefault, rules.byDefault);
}

} // namespace filterd::test
