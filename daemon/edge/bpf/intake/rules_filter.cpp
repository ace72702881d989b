// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/rules_filter.hpp"

#include "core/ebpf/fuse.hpp"
#include "edge/bpf/counters/rule_counters.hpp"
#include "edge/bpf/programs/program_loader.hpp"
#include "kernel/bpf_calls.hpp"

#include <array>

namespace filterd::bpf {

namespace {

constexpr const char* kProgramName = "rules";
constexpr const char* kCountersName = "counters";

// The earlier filter's counters if they can serve on, else counters of its own that go on from them.
Result<UniqueFd> prepareCounters(const packet::Numbering& numbering,
                                 const std::optional<EarlierRules>& earlier) {
    if (!numbering.fresh) {
        for (const std::uint32_t entry : numbering.cleared)
            if (auto cleared = writeRuleCounter(earlier->counters, entry, {}); !cleared)
                return failure(cleared.error());
        return duplicate(earlier->counters);
    }
    auto map = createRuleCounters(numbering.numbered.capacity);
    if (!map)
        return map;
    for (const auto& [from, to] : numbering.carried) {
        const auto counter = readRuleCounter(earlier->counters, from);
        if (!counter)
            return failure(counter.error());
        if (auto written = writeRuleCounter(map->get(), to, *counter); !written)
            return failure(written.error());
    }
    return map;
}

struct CompiledRules {
    packet::Numbering numbering;
    std::vector<bpf_insn> instructions;
};

Result<packet::RulesInput> compileExpressions(const packet::NumberedRules& numbered,
                                              packet::ExpressionCompiler& expressions) {
    packet::RulesInput input;
    input.byDefault = numbered.rules.byDefault;
    input.unparsable = numbered.rules.unparsable;
    for (std::size_t i = 0; i < numbered.rules.rules.size(); ++i) {
        const auto& rule = numbered.rules.rules[i];
        auto program = expressions.compile(rule.expression, toString(rule.verdict).size() + 2);
        if (!program)
            return failure(
                program.error().context("rule " + std::to_string(i + 1)).about(std::to_string(i + 1)));
        input.rules.push_back({std::move(*program), rule.verdict, numbered.counters[i]});
    }
    return input;
}

Result<CompiledRules> compileRules(const packet::PacketRules& rules, const ObjectRequest& request,
                                   packet::ExpressionCompiler& expressions) {
    if (auto checked = packet::checkLimits(rules); !checked)
        return failure(checked.error());
    auto numbering = packet::number(rules, request.earlier ? &request.earlier->rules : nullptr);
    const auto input = compileExpressions(numbering.numbered, expressions);
    if (!input)
        return failure(input.error());
    auto instructions = packet::compile(*input);
    if (!instructions)
        return failure(instructions.error());
    return CompiledRules{std::move(numbering), std::move(*instructions)};
}

} // namespace

Result<FilterProgram> loadPacketRules(const packet::PacketRules& rules, const ObjectRequest& request,
                                      packet::ExpressionCompiler& expressions) {
    auto compiled = compileRules(rules, request, expressions);
    if (!compiled)
        return failure(compiled.error());
    auto counters = prepareCounters(compiled->numbering, request.earlier);
    if (!counters)
        return failure(counters.error());
    const auto program = standalone(compiled->instructions, 1);
    if (!program)
        return failure(program.error());
    const std::array maps{counters->get()};
    ProgramLoader loader;
    auto loaded = loader.load({kProgramName, "GPL", Direction::Ingress, *program, maps});
    if (!loaded)
        return failure(loaded.error());
    FilterProgram result;
    result.program = std::move(*loaded);
    result.instructions = std::move(compiled->instructions);
    result.maps.push_back({kCountersName, std::move(*counters)});
    result.programName = kProgramName;
    result.license = "GPL";
    result.rules = std::move(compiled->numbering.numbered);
    return result;
}

Result<ObjectOutline> inspectRules(const packet::PacketRules& rules, const ObjectRequest& request,
                                   packet::ExpressionCompiler& expressions) {
    return compileRules(rules, request, expressions).map([](const CompiledRules&) {
        return ObjectOutline{};
    });
}

} // namespace filterd::bpf
