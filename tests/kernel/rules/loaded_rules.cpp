// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "loaded_rules.hpp"

#include "edge/pcap/pcap_expressions.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <numeric>

namespace filterd::test {

using packet::RuleCounter;
using packet::RulesInput;
using packet::Verdict;

RulesInput rulesFrom(const RuleTexts& texts, Verdict byDefault, Verdict unparsable) {
    PcapExpressions expressions;
    RulesInput input{.rules = {}, .byDefault = byDefault, .unparsable = unparsable};
    for (const auto& [verdict, text] : texts) {
        auto program = expressions.compile(text, 1);
        EXPECT_TRUE(program) << text << ": " << program.error().message;
        if (program)
            input.rules.push_back({std::move(*program), verdict,
                                   static_cast<std::uint32_t>(input.rules.size()) + packet::kFirstRule});
    }
    return input;
}

std::string describe(const RuleTexts& texts) {
    std::string all;
    for (const auto& [verdict, text] : texts)
        all += std::string(toString(verdict)) + " " + text + "\n";
    return all;
}

LoadedRules::LoadedRules(const RulesInput& rules, bool small)
    : counters_(::bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "rules", 4, sizeof(RuleCounter),
                                 static_cast<__u32>(rules.rules.size() + packet::kFirstRule), nullptr)) {
    auto code = small ? compileSmall(rules) : compile(rules);
    if (!code) {
        error_ = code.error().message;
        return;
    }
    for (auto& insn : *code)
        if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src_reg == BPF_PSEUDO_MAP_FD)
            insn.imm = counters_.get();
    size_ = code->size();
    load(*code);
}

void LoadedRules::load(const std::vector<bpf_insn>& code) {
    constexpr __u32 kStatistics = 4;
    std::vector<char> log(1 << 16);
    bpf_prog_load_opts options{};
    options.sz = sizeof options;
    options.log_buf = log.data();
    options.log_size = static_cast<__u32>(log.size());
    options.log_level = kStatistics;
    program_ = UniqueFd(
        ::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "rules", "GPL", code.data(), code.size(), &options));
    const std::string statistics = log.data();
    if (const auto at = statistics.find("processed "); at != std::string::npos)
        verified_ = std::stoul(statistics.substr(at + std::string_view("processed ").size()));
    if (!program_)
        explain(code);
}

void LoadedRules::explain(const std::vector<bpf_insn>& code) {
    std::vector<char> log(1 << 24);
    bpf_prog_load_opts options{};
    options.sz = sizeof options;
    options.log_buf = log.data();
    options.log_size = static_cast<__u32>(log.size());
    options.log_level = 1;
    const UniqueFd again(
        ::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "rules", "GPL", code.data(), code.size(), &options));
    error_ = log.data();
    error_ = "the verifier: " + error_.substr(error_.size() - std::min<std::size_t>(error_.size(), 2000));
}

std::uint32_t LoadedRules::runTest(const Packet& packet, int repeat, std::uint32_t& nanoseconds) {
    std::vector<std::uint8_t> frame(12, 0);
    frame.push_back(static_cast<std::uint8_t>(packet.etherType >> 8));
    frame.push_back(static_cast<std::uint8_t>(packet.etherType));
    frame.insert(frame.end(), packet.bytes.begin(), packet.bytes.end());
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<__u32>(frame.size());
    options.repeat = repeat;
    EXPECT_EQ(::bpf_prog_test_run_opts(program_.get(), &options), 0) << std::strerror(errno);
    nanoseconds = options.duration;
    return options.retval;
}

Verdict LoadedRules::run(const Packet& packet) {
    std::uint32_t nanoseconds = 0;
    return runTest(packet, 1, nanoseconds) == 1 ? Verdict::Allow : Verdict::Deny;
}

std::uint32_t LoadedRules::cost(const Packet& packet, int repeat) {
    std::uint32_t nanoseconds = 0;
    runTest(packet, repeat, nanoseconds);
    return nanoseconds;
}

RuleCounter LoadedRules::counter(std::uint32_t index) const {
    std::vector<RuleCounter> perCpu(static_cast<std::size_t>(::libbpf_num_possible_cpus()));
    EXPECT_EQ(::bpf_map_lookup_elem(counters_.get(), &index, perCpu.data()), 0);
    return std::accumulate(perCpu.begin(), perCpu.end(), RuleCounter{}, [](RuleCounter sum, RuleCounter one) {
        return RuleCounter{sum.packets + one.packets, sum.bytes + one.bytes};
    });
}

} // namespace filterd::test
