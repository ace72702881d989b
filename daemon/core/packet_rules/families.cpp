// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/families.hpp"

#include "core/packet_rules/expression_words.hpp"

#include <algorithm>
#include <array>

namespace filterd::packet {

namespace {

// Which packets a part of an expression can match.
struct Families {
    bool ipv4 = true;
    bool ipv6 = true;
    bool silent = false; // matches those of IPv4 alone without saying so
};

bool saysIpv4(const Families& part) { return part.ipv4 && !part.ipv6 && !part.silent; }
bool saysIpv6(const Families& part) { return part.ipv6 && !part.ipv4; }

Families both(const Families& a, const Families& b) {
    const bool said = saysIpv4(a) || saysIpv4(b) || saysIpv6(a) || saysIpv6(b);
    return {a.ipv4 && b.ipv4, a.ipv6 && b.ipv6, (a.silent || b.silent) && !said};
}

Families either(const Families& a, const Families& b) {
    const bool said = saysIpv6(a) || saysIpv6(b);
    return {a.ipv4 || b.ipv4, a.ipv6 || b.ipv6, (a.silent || b.silent) && !said};
}

// Follows the grammar: `and` and `or` bind alike, from the left.
class FamiliesReader {
  public:
    FamiliesReader(std::string_view expression, bool isIcmp6Judged)
        : words_(wordsOf(expression, 1)), isIcmp6Judged_(isIcmp6Judged) {}

    Families read() {
        Families all = readTerm();
        while (at_ < words_.size() && !is(")")) {
            if (takeAnd())
                all = both(all, readTerm());
            else if (takeOr())
                all = either(all, readTerm());
            else // a group was the beginning of a calculation
                all = both(all, readPrimitive());
        }
        return all;
    }

  private:
    [[nodiscard]] std::string_view word(std::size_t ahead = 0) const {
        return at_ + ahead < words_.size() ? words_[at_ + ahead].text : std::string_view();
    }
    [[nodiscard]] bool is(std::string_view text) const { return word() == text; }
    // Two signs without a blank between them.
    [[nodiscard]] bool isTwice(std::string_view sign) const {
        return word() == sign && word(1) == sign && words_[at_ + 1].column == words_[at_].column + 1;
    }
    bool takeAnd() { return take(is("and") ? 1 : isTwice("&") ? 2 : 0); }
    bool takeOr() { return take(is("or") ? 1 : isTwice("|") ? 2 : 0); }
    bool take(std::size_t count) {
        at_ += count;
        return count > 0;
    }
    [[nodiscard]] bool isJoint() const { return is("and") || is("or") || isTwice("&") || isTwice("|"); }

    Families readTerm() {
        if (take(is("not") || (is("!") && word(1) != "=") ? 1 : 0)) {
            readTerm(); // what is not matched are packets of both families
            return {};
        }
        if (!is("("))
            return readPrimitive();
        ++at_;
        const Families inner = read();
        ++at_; // the other half
        return inner;
    }

    // Up to the next joint, brackets and the parentheses of a calculation included.
    Families readPrimitive() {
        Families families;
        const auto say = [&](bool ipv4, bool silent) { families = both(families, {ipv4, !ipv4, silent}); };
        int brackets = 0; // what stands in them tells of no family
        for (int parentheses = 0; at_ < words_.size(); ++at_) {
            if (brackets + parentheses == 0 && (isJoint() || is(")")))
                break;
            parentheses += is("(") ? 1 : is(")") ? -1 : 0;
            brackets += is("[") ? 1 : is("]") ? -1 : 0;
            if (brackets > 0)
                continue;
            if (isSilent())
                say(true, true);
            else if (isOfIpv4())
                say(true, false);
            else if (isOfIpv6())
                say(false, false);
        }
        return families;
    }

    [[nodiscard]] bool isSilent() const {
        constexpr std::array<std::string_view, 6> kTransports{"tcp", "udp", "sctp", "icmp", "pim", "vrrp"};
        return is("icmp") ? !isIcmp6Judged_ : isOneOf(word(), kTransports) && word(1) == "[";
    }
    [[nodiscard]] bool isOfIpv4() const {
        constexpr std::array<std::string_view, 8> kWords{"ip",   "icmp", "arp",  "rarp",
                                                         "igmp", "igrp", "host", "net"};
        const auto text = word();
        if (text == "host" || text == "net")
            return word(1).find(':') == std::string_view::npos;
        const bool isAddress =
            text.find('.') != std::string_view::npos && text.find_first_not_of("0123456789.") == text.npos;
        return isAddress || isOneOf(text, kWords);
    }
    [[nodiscard]] bool isOfIpv6() const {
        return is("ip6") || is("icmp6") || (word().find(':') != std::string_view::npos && word().size() > 1);
    }

    std::vector<Word> words_;
    bool isIcmp6Judged_;
    std::size_t at_ = 0;
};

} // namespace

bool isSilentAboutIpv6(std::string_view expression, bool isIcmp6Judged) {
    return FamiliesReader(expression, isIcmp6Judged).read().silent;
}

} // namespace filterd::packet
