// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The fuser by what its programs report and count of the packets that they drop.

#include "fuse_sample.hpp"

namespace filterd::test {
namespace {

std::size_t callsOfTheReporter(const FusedProgram& program) {
    const auto start = program.functions.back().instruction;
    std::size_t calls = 0;
    for (std::size_t i = 0; i < program.instructions.size(); ++i) {
        const auto& one = program.instructions[i];
        calls += one.code == kCallCode && one.src_reg == BPF_PSEUDO_CALL &&
                         i + 1 + static_cast<std::size_t>(one.imm) == start
                     ? 1
                     : 0;
    }
    return calls;
}

// Returns how many instructions run when every filter passes.
std::size_t instructionsToThePass(const Sample& sample) {
    const auto program = fuseSample(sample);
    EXPECT_TRUE(program);
    auto machine = machineFor(*program, sample);
    machine.run();
    return machine.steps();
}

TEST(FuseReports, ThereIsOneCallAndItIsBehindTheDrops) {
    Sample sample{.members = {{1, false, 1}, {1, false, 2}, {1, true, 3}}, .order = {0, 1, 2}};
    for (const bool inlines : {false, true})
        for (const bool interim : {false, true})
            for (const bool logOnly : {false, true}) {
                sample.inlines = inlines;
                sample.interim = interim;
                sample.counts = !interim;
                sample.logOnly = logOnly;
                sample.reports = false;
                const auto without = instructionsToThePass(sample);
                sample.reports = true;
                EXPECT_EQ(instructionsToThePass(sample), without);
                const auto program = fuseSample(sample);
                ASSERT_TRUE(program);
                EXPECT_EQ(program->functions.back().kind, FunctionKind::Reporter);
                EXPECT_EQ(callsOfTheReporter(*program), 1U);
            }
}

TEST(FuseReports, BytesCostFourInstructionsOnTheWayOfAPacket) {
    // The context, two of a filter's call, its own three, its drop; the storage, five of them; three of the
    // count, four of the bytes, two of the verdict.
    const Program nothing{set(BPF_REG_2, 0), set(BPF_REG_0, 1), leave()};
    FuseInput input{.direction = Direction::Ingress, .parts = {}, .order = {0}};
    input.parts.push_back({.instructions = nothing, .maps = {}});
    input.counterMap = kCounters;
    const auto report = reporter();
    input.reporter = reporterOf(report);
    const auto program = fuse(input);
    ASSERT_TRUE(program);
    Machine machine(*program);
    machine.run();
    EXPECT_EQ(machine.steps(), 1U + 2U + 3U + 1U + 3U + 3U + 4U + 2U);
}

TEST(FuseReports, NameTheFilterThatDropped) {
    Sample sample{.members = {{1, false, 1}, {0, false, 2}, {0, true, 99}, {0, false, 0}},
                  .order = {0, 1, 2}};
    using Reports = decltype(Outcome::reports);
    for (const bool inlines : {false, true}) {
        sample.inlines = inlines;
        sample.reports = true;
        sample.order = {0, 1, 2};
        EXPECT_EQ(run(sample).reports, (Reports{{programIdOf(1), kReportFlags}}));
        sample.order = {0, 2, 1};
        EXPECT_EQ(run(sample).reports, (Reports{{programIdOf(2), kReportFlags}}))
            << "though it has no counter";
        sample.order = {3};
        EXPECT_EQ(run(sample).reports, (Reports{{programIdOf(3), kReportFlags}}));
        sample.order = {0};
        EXPECT_EQ(run(sample).reports, Reports{});
    }
}

TEST(FuseReports, AGroupReportsByItself) {
    Sample sample{.members = {{1, false, 1}, {1, false, 2}, {0, false, 3}}, .order = {0, 1, 2}};
    sample.groupsFrom = 1;
    sample.reports = true;
    const auto outcome = run(sample);
    EXPECT_EQ(outcome.reports, (decltype(Outcome::reports){{programIdOf(2), kReportFlags}}));
    EXPECT_EQ(outcome.counts[3], 1U);
    sample.interim = true;
    sample.counts = false;
    EXPECT_EQ(run(sample).reports.size(), 1U);
}

TEST(FuseReports, TheHoldQueueReportsProgramZero) {
    const auto report = reporter();
    FuseInput input{.direction = Direction::Egress, .parts = {}, .order = {}, .hold = true};
    input.counterMap = kCounters;
    input.reporter = reporterOf(report);
    const auto program = fuse(input);
    ASSERT_TRUE(program);
    const auto outcome = Machine(*program).run();
    EXPECT_EQ(outcome.reports, (decltype(Outcome::reports){{0, kReportFlags}}));
    EXPECT_EQ(outcome.counts[kHeldSlot], 1U);
    EXPECT_EQ(outcome.bytes[kHeldSlot], kPacketLength);
    EXPECT_EQ(outcome.verdict, 0U);
}

TEST(FuseReports, WhereNothingCanDropThereIsNoReporter) {
    Sample sample;
    sample.reports = true;
    EXPECT_EQ(fuseSample(sample)->functions.size(), 1U);
}

TEST(FuseReports, TheReporterIsOneOfTheFunctions) {
    Sample sample;
    sample.reports = true;
    for (std::size_t i = 0; i + 2 < kMaxFunctions; ++i) {
        sample.members.push_back({1, false, 0});
        sample.order.push_back(i);
    }
    check(sample);
    sample.members.push_back({1, false, 0});
    sample.order.push_back(sample.members.size() - 1);
    const auto refused = fuseSample(sample);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

TEST(FuseReports, TheGatesWordIsKeptOverAReport) {
    Sample sample{.members = {{0, false, 1}}, .order = {0}, .counts = false, .interim = true};
    sample.logOnly = true;
    sample.reports = true;
    sample.gateWord = 5 | kGateCongestionBit;
    const auto outcome = run(sample);
    EXPECT_TRUE(outcome.atGate);
    EXPECT_EQ(outcome.cb[4], sample.gateWord);
    EXPECT_EQ(outcome.reports.size(), 1U);
}

} // namespace
} // namespace filterd::test
