// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Queues that are fused: of filters that a model knows, and of any instructions at all, as a worker that lies
// gives them.

#include "core/ebpf/builtin.hpp"
#include "fuse_sample.hpp"
#include "fuzz.hpp"

#include <cstring>
#include <fuzzer/FuzzedDataProvider.h>

namespace filterd::fuzz {
namespace {

using Data = FuzzedDataProvider;

test::Sample sampleOf(Data& data) {
    test::Sample sample;
    const auto members = data.ConsumeIntegralInRange<std::size_t>(1, 12);
    sample.direction = data.ConsumeBool() ? Direction::Egress : Direction::Ingress;
    sample.congestion = sample.direction == Direction::Egress && data.ConsumeBool();
    for (std::size_t i = 0; i < members; ++i)
        sample.members.push_back({data.ConsumeIntegralInRange<std::int32_t>(0, sample.congestion ? 3 : 1),
                                  data.ConsumeBool(),
                                  data.ConsumeIntegralInRange<std::uint32_t>(0, kLastFilterSlot + 1)});
    for (auto length = data.ConsumeIntegralInRange<std::size_t>(1, 40); length > 0; --length)
        sample.order.push_back(data.ConsumeIntegralInRange<std::size_t>(0, members - 1));
    sample.interim = data.ConsumeBool();
    sample.counts = !sample.interim && data.ConsumeBool(); // nobody counts in the gate's run
    sample.gateWord = sample.interim && data.ConsumeBool() ? 5 | kGateCongestionBit : 0;
    sample.inlines = data.ConsumeBool();
    sample.reports = data.ConsumeBool();
    sample.busy = data.ConsumeBool();
    sample.logOnly = data.ConsumeBool();
    if (!sample.logOnly && data.ConsumeBool())
        sample.logged = data.ConsumeIntegralInRange<std::size_t>(0, sample.order.size());
    return sample;
}

void checkSample(Data& data) {
    const auto sample = sampleOf(data);
    const auto program = test::fuseSample(sample);
    if (!program) {
        requireReadable(program.error());
        return;
    }
    const auto wanted = test::expected(sample);
    const auto got = test::machineFor(*program, sample).run();
    require(got.ran == wanted.ran, "the filters run that should");
    require(got.counts == wanted.counts, "drops are counted");
    require(got.reports == wanted.reports, "drops are reported");
    require(got.atGate == wanted.atGate && !got.sawForeignCb,
            "the gate goes on, and nobody sees what others left");
    require(wanted.atGate ? got.cb[4] == wanted.cb[4] : got.verdict == wanted.verdict,
            "the verdict is right");
}

std::vector<bpf_insn> instructionsOf(Data& data) {
    const auto count = data.ConsumeIntegralInRange<std::size_t>(0, 24);
    const auto bytes = data.ConsumeBytes<std::uint8_t>(count * sizeof(bpf_insn));
    std::vector<bpf_insn> instructions(bytes.size() / sizeof(bpf_insn));
    if (!instructions.empty())
        std::memcpy(instructions.data(), bytes.data(), instructions.size() * sizeof(bpf_insn));
    for (auto& insn : instructions) // the codes that matter, more often than they would be met
        switch (insn.code) {
        case 1:
            insn.code = kLoadWide;
            break;
        case 2:
            insn.code = kCall;
            break;
        case 3:
            insn.code = BPF_JMP | BPF_EXIT;
            break;
        default:
            break;
        }
    return instructions;
}

void checkProgram(const Result<FusedProgram>& program) {
    if (!program) {
        requireReadable(program.error());
        return;
    }
    require(!program->functions.empty() && program->functions.front().instruction == 0,
            "a program has an entry");
    for (std::size_t i = 0; i < program->functions.size(); ++i) {
        require(program->functions[i].instruction < program->instructions.size(),
                "a function is in its program");
        require(i == 0 || program->functions[i - 1].instruction < program->functions[i].instruction,
                "functions stand in their order");
    }
}

void checkAny(Data& data) {
    std::vector<std::vector<bpf_insn>> filters;
    FuseInput input{
        .direction = data.ConsumeBool() ? Direction::Egress : Direction::Ingress, .parts = {}, .order = {}};
    for (auto count = data.ConsumeIntegralInRange<std::size_t>(1, 4); count > 0; --count)
        filters.push_back(instructionsOf(data));
    for (const auto& filter : filters) {
        const auto traits = examine(filter);
        require(traits.functions == 1 + functionStarts(filter).size(), "functions are counted");
        const std::uint8_t registers[] = {BPF_REG_7, BPF_REG_8};
        require(inlined(filter, registers).size() <= filter.size(), "what stands within is no longer");
        if (!filter.empty()) // else its own program is called
            checkProgram(standalone(filter, data.ConsumeIntegralInRange<std::size_t>(0, 3)));
        FusePart part{.instructions = filter, .maps = {}};
        for (auto maps = data.ConsumeIntegralInRange<std::uint32_t>(0, 3); maps > 0; --maps)
            part.maps.push_back(3 + maps);
        part.counterSlot = data.ConsumeIntegralInRange<std::uint32_t>(0, kCounterSlots);
        part.readsCb = traits.readsCb;
        part.writesCb = traits.writesCb;
        input.parts.push_back(std::move(part));
    }
    for (auto length = data.ConsumeIntegralInRange<std::size_t>(1, 8); length > 0; --length)
        input.order.push_back(data.ConsumeIntegralInRange<std::size_t>(0, filters.size() - 1));
    input.inlines = data.ConsumeBool();
    input.congestion = data.ConsumeBool();
    input.logOnly = data.ConsumeBool();
    if (data.ConsumeBool())
        input.counterMap = test::kCounters;
    input.tailCallArray = test::kTailCalls;
    if (data.ConsumeBool())
        input.gateArray = test::kGate;
    checkProgram(fuse(input));
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    if (data.ConsumeBool())
        filterd::fuzz::checkSample(data);
    else
        filterd::fuzz::checkAny(data);
    return 0;
}
