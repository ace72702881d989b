#include "packet_model.hpp"

#include "libpcap_filter.hpp"

#include <algorithm>
#include <array>

namespace filterd::test {

namespace {

using packet::Verdict;

// ---- what can be seen -----------------------------------------------------------------------------------

struct Sight {
    bool whole = true;
    std::size_t visible = 0;
    int version = 0;
    bool fragment = false;                                // not the first of an IPv4 packet
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

std::optional<unsigned> upperProtocolOf(const std::vector<std::uint8_t>& p) {
    unsigned type = p[6];
    std::size_t at = 40;
    for (int headers = 0; isExtension(type); ++headers) {
        if (headers == 8 || at + 8 > p.size())
            return std::nullopt;
        const unsigned next = p[at];
        if (type == 44) {
            const bool later = ((p[at + 2] << 8 | p[at + 3]) & 0xfff8) != 0;
            if (later)
                return isExtension(next) ? std::nullopt : std::optional(next);
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
    return {.whole = whole, .visible = 40, .version = 6, .upperProtocol = upperProtocolOf(p)};
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
    int origin = -1; // an untouched load of this offset
    int size = 0;
};

struct Machine {
    std::size_t at = 0;
    Value a;
    Value x;
    std::array<Value, BPF_MEMWORDS> scratch{};
};

class HiddenRun {
  public:
    HiddenRun(const packet::ClassicProgram& program, const Packet& packet, const Sight& sight)
        : program_(program), bytes_(packet.bytes), sight_(sight) {}

    // The ends it can come to: true is a match.
    std::set<bool> ends() {
        run({});
        return ends_;
    }

  private:
    void run(Machine machine);
    void jump(const Machine& machine);
    void follow(Machine machine, bool yes);
    std::set<bool> answers(const Machine& machine) const;
    std::set<bool> answersOfNextHeader(std::uint32_t value, std::uint32_t asked) const;
    Value load(std::uint64_t offset, int size, bool relative) const;
    Value calculate(const sock_filter& insn, const Machine& machine) const;
    bool looksBeyond(std::size_t at) const;

    const packet::ClassicProgram& program_;
    const std::vector<std::uint8_t>& bytes_;
    const Sight& sight_;
    std::set<bool> ends_;
};

int sizeOf(const sock_filter& insn) {
    return BPF_SIZE(insn.code) == BPF_W ? 4 : BPF_SIZE(insn.code) == BPF_H ? 2 : 1;
}

bool divides(const sock_filter& insn) { return BPF_OP(insn.code) == BPF_DIV || BPF_OP(insn.code) == BPF_MOD; }

Value HiddenRun::load(std::uint64_t offset, int size, bool relative) const {
    if (relative || offset + static_cast<std::uint64_t>(size) > sight_.visible)
        return {0, true, relative ? -1 : static_cast<int>(offset), size};
    std::uint32_t number = 0;
    for (int i = 0; i < size; ++i)
        number = number << 8 | bytes_[offset + static_cast<std::size_t>(i)];
    return {number, false, static_cast<int>(offset), size};
}

Value HiddenRun::calculate(const sock_filter& insn, const Machine& machine) const {
    const Value right = BPF_SRC(insn.code) == BPF_X ? machine.x : Value{insn.k};
    const std::uint32_t l = machine.a.number;
    const std::uint32_t r = right.number;
    Value result{0, machine.a.hidden || (right.hidden && BPF_OP(insn.code) != BPF_NEG)};
    switch (BPF_OP(insn.code)) {
    case BPF_ADD:
        result.number = l + r;
        break;
    case BPF_SUB:
        result.number = l - r;
        break;
    case BPF_MUL:
        result.number = l * r;
        break;
    case BPF_DIV:
        result.number = r == 0 ? 0 : l / r;
        break;
    case BPF_MOD:
        result.number = r == 0 ? 0 : l % r;
        break;
    case BPF_AND:
        result.number = l & r;
        // A fragment's offset, whether asked by jset or by and.
        if (machine.a.origin == 6 && machine.a.size == 2 && right.number == 0x1fff)
            result.origin = -2;
        break;
    case BPF_OR:
        result.number = l | r;
        break;
    case BPF_XOR:
        result.number = l ^ r;
        break;
    case BPF_LSH:
        result.number = r > 31 ? 0 : l << r;
        break;
    case BPF_RSH:
        result.number = r > 31 ? 0 : l >> r;
        break;
    default:
        result.number = 0 - l;
    }
    return result;
}

bool HiddenRun::looksBeyond(std::size_t at) const {
    std::vector<std::size_t> open{at};
    std::set<std::size_t> seen;
    while (!open.empty()) {
        const std::size_t now = open.back();
        open.pop_back();
        if (now >= program_.size() || !seen.insert(now).second)
            continue;
        const auto& insn = program_[now];
        const bool loads = BPF_CLASS(insn.code) == BPF_LD || BPF_CLASS(insn.code) == BPF_LDX;
        if (loads && BPF_MODE(insn.code) == BPF_IND)
            return true;
        if (loads && BPF_MODE(insn.code) == BPF_ABS &&
            insn.k + static_cast<std::size_t>(sizeOf(insn)) > sight_.visible)
            return true;
        if (BPF_CLASS(insn.code) == BPF_RET)
            continue;
        if (BPF_CLASS(insn.code) != BPF_JMP)
            open.push_back(now + 1);
        else if (BPF_OP(insn.code) == BPF_JA)
            open.push_back(now + 1 + insn.k);
        else
            open.insert(open.end(), {now + 1 + insn.jt, now + 1 + insn.jf});
    }
    return false;
}

std::set<bool> HiddenRun::answersOfNextHeader(std::uint32_t value, std::uint32_t asked) const {
    if (value == asked)
        return {true};
    if (!sight_.upperProtocol)
        return {true, false};
    return {*sight_.upperProtocol == asked};
}

std::set<bool> HiddenRun::answers(const Machine& machine) const {
    const auto& insn = program_[machine.at];
    const Value right = BPF_SRC(insn.code) == BPF_X ? machine.x : Value{insn.k};
    const std::uint32_t a = machine.a.number;
    const bool equals = BPF_OP(insn.code) == BPF_JEQ && BPF_SRC(insn.code) == BPF_K;
    const bool nextHeader = sight_.version == 6 && equals && machine.a.size == 1;
    if (nextHeader && machine.a.origin == 6)
        return answersOfNextHeader(a, insn.k);
    if (nextHeader && machine.a.origin == 40 && bytes_[6] == 44)
        return sight_.upperProtocol ? std::set<bool>{*sight_.upperProtocol == insn.k}
                                    : std::set<bool>{true, false};
    if (machine.a.hidden || right.hidden)
        return {true, false};
    const bool offsetAsked =
        BPF_OP(insn.code) == BPF_JSET && machine.a.origin == 6 && machine.a.size == 2 && insn.k == 0x1fff;
    bool yes = false;
    switch (BPF_OP(insn.code)) {
    case BPF_JEQ:
        yes = a == right.number;
        break;
    case BPF_JGE:
        yes = a >= right.number;
        break;
    case BPF_JGT:
        yes = a > right.number;
        break;
    default:
        yes = (a & right.number) != 0;
    }
    if (sight_.fragment && (offsetAsked || machine.a.origin == -2)) {
        const bool whole = offsetAsked ? false : BPF_OP(insn.code) == BPF_JEQ && right.number == 0;
        if (looksBeyond(machine.at + 1 + (whole ? insn.jt : insn.jf)))
            return {true, false};
    }
    return {yes};
}

void HiddenRun::follow(Machine machine, bool yes) {
    const auto& insn = program_[machine.at];
    machine.at += 1U + (yes ? insn.jt : insn.jf);
    run(machine);
}

void HiddenRun::jump(const Machine& machine) {
    const auto& insn = program_[machine.at];
    if (BPF_OP(insn.code) == BPF_JA) {
        Machine next = machine;
        next.at += 1 + insn.k;
        run(next);
        return;
    }
    for (const bool yes : answers(machine))
        follow(machine, yes);
}

void HiddenRun::run(Machine machine) {
    for (;; ++machine.at) {
        const auto& insn = program_[machine.at];
        Value& target = BPF_CLASS(insn.code) == BPF_LDX ? machine.x : machine.a;
        switch (BPF_CLASS(insn.code)) {
        case BPF_LD:
        case BPF_LDX:
            switch (BPF_MODE(insn.code)) {
            case BPF_IMM:
                target = {insn.k};
                break;
            case BPF_MEM:
                target = machine.scratch[insn.k];
                break;
            case BPF_LEN:
                target = {static_cast<std::uint32_t>(bytes_.size())};
                break;
            case BPF_MSH:
                target = load(insn.k, 1, false);
                target = {(target.number & 0xf) << 2, target.hidden};
                break;
            case BPF_IND:
                target = load(0, sizeOf(insn), true);
                break;
            default:
                target = load(insn.k, sizeOf(insn), false);
            }
            break;
        case BPF_ST:
            machine.scratch[insn.k] = machine.a;
            break;
        case BPF_STX:
            machine.scratch[insn.k] = machine.x;
            break;
        case BPF_ALU:
            if (divides(insn) && BPF_SRC(insn.code) == BPF_X) {
                if (machine.x.hidden || machine.x.number == 0)
                    ends_.insert(false);
                if (!machine.x.hidden && machine.x.number == 0)
                    return;
            }
            machine.a = calculate(insn, machine);
            break;
        case BPF_JMP:
            jump(machine);
            return;
        case BPF_RET:
            ends_.insert(insn.k != 0);
            return;
        default:
            if (BPF_MISCOP(insn.code) == BPF_TAX)
                machine.x = machine.a;
            else
                machine.a = machine.x;
        }
    }
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
