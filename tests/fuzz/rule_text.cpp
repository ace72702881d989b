// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Packet rules as text, then a line of four equals signs, then packets, with the same between them. libpcap
// makes them classic programs, filterd one program of the kernel: it judges the packets as libpcap does.

#include "core/packet_rules/rule_notes.hpp"
#include "core/packet_rules/rules_text.hpp"
#include "core/packet_rules/slips.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "rule_judges.hpp"

namespace filterd::fuzz {
namespace {

constexpr std::size_t kLongest = 256; // of an expression: libpcap's time grows with the cube

Result<packet::RulesInput> inputOf(const packet::PacketRules& rules, PcapExpressions& expressions) {
    packet::RulesInput input{{}, rules.byDefault, rules.unparsable};
    for (const auto& rule : rules.rules) {
        auto program = expressions.compile(rule.expression, 1);
        if (!program)
            return failure(program.error());
        input.rules.push_back({std::move(*program), rule.verdict,
                               packet::kFirstRule + static_cast<std::uint32_t>(input.rules.size())});
    }
    return input;
}

void checkText(const packet::PacketRules& rules) {
    const auto text = packet::rulesText(rules);
    const auto again = packet::parseRulesText(text);
    require(again && *again == rules, "rules are read as they were written", text);
    const auto numbering = packet::number(rules, nullptr);
    const auto numbered = packet::parseNumbered(packet::numberedText(numbering.numbered));
    require(numbered && *numbered == numbering.numbered, "and their counters");
    const auto kept = packet::number(rules, &numbering.numbered);
    require(!kept.fresh && kept.numbered == numbering.numbered, "the same rules keep their counters");
}

void checkPackets(const packet::RulesInput& input, std::span<const std::string> packets) {
    const auto program = packet::compile(input);
    const auto small = packet::compileSmall(input);
    for (const auto* compiled : {&program, &small})
        if (!*compiled)
            requireReadable(compiled->error());
    for (const auto& packet : packets) {
        const auto with = packetOf(packet);
        for (const auto& rule : input.rules)
            checkForecast(rule.program, with.packet);
        if (program)
            compareJudges(input, *program, with, true);
        if (small)
            compareJudges(input, *small, with, true);
    }
}

void check(std::string_view text) {
    const auto parts = partsOf(text);
    const auto rules = packet::parseRulesText(parts.front());
    if (!rules) {
        if (isUtf8(parts.front()))
            requireReadable(rules.error());
        return;
    }
    checkText(*rules);
    for (const auto& rule : rules->rules) {
        if (rule.expression.size() > kLongest)
            return;
        if (isUtf8(rule.expression))
            require(isUtf8(packet::slipIn(rule.expression).value_or("")), "a slip is text");
    }
    PcapExpressions expressions;
    const auto input = inputOf(*rules, expressions);
    if (input)
        checkPackets(*input, std::span(parts).subspan(1));
    else if (isUtf8(parts.front()))
        requireReadable(input.error());
    packet::CompiledRuleNotes notes(expressions);
    for (const auto& note : notes.about(*rules))
        require(note.rule >= 1 && note.rule <= rules->rules.size(), "a note is about a rule", note.text);
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(filterd::fuzz::textOf(data, size));
    return 0;
}
