// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A queue, the program that is made of it, and the model of what it does.

#include "fuse_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace filterd::test {

struct Member {
    std::int32_t verdict = 1;
    bool isTailCall = false;
    std::uint32_t slot = 0;
};

struct Sample {
    std::vector<Member> members;
    std::vector<std::size_t> order;
    Direction direction = Direction::Ingress;
    bool congestion = false;
    bool counts = true;
    bool interim = false;
    std::uint32_t gateWord = 0;
    bool inlines = false;
    bool logOnly = false;
    std::size_t logged = 0; // of the order
    bool reports = false;
    bool busy = false;            // filters with many registers
    std::size_t groupsFrom = ~0U; // the members of the order from this place on make up a group
};

inline std::vector<Program> filtersOf(const Sample& sample) {
    std::vector<Program> filters;
    for (std::size_t i = 0; i < sample.members.size(); ++i)
        filters.push_back((sample.busy && i % 2 == 0 ? busyFilter : filter)(static_cast<std::int32_t>(i),
                                                                            sample.members[i].verdict));
    return filters;
}

inline constexpr std::uint32_t kReportFlags = 5;
inline constexpr std::uint32_t kLoggedFlags = 7;

// Programs of the kernel with ids of 101 and on.
inline std::uint32_t programIdOf(std::size_t member) { return static_cast<std::uint32_t>(member) + 101; }

inline FuseReporter reporterOf(const Program& code) {
    return {.instructions = code, .maps = {}, .flags = kReportFlags, .loggedFlags = kLoggedFlags};
}

inline Result<FusedProgram> fuseSample(const Sample& sample) {
    const auto reports = reporter();
    const auto filters = filtersOf(sample);
    FuseInput input{.direction = sample.direction, .parts = {}, .order = sample.order};
    for (std::size_t i = 0; i < sample.members.size(); ++i) {
        FusePart part{.instructions = filters[i], .maps = {}};
        part.counterSlot = sample.members[i].slot;
        part.tailCallIndex = static_cast<std::uint32_t>(i);
        part.programId = programIdOf(i);
        if (sample.members[i].isTailCall)
            part.instructions = {};
        input.parts.push_back(std::move(part));
    }
    input.congestion = sample.congestion;
    input.inlines = sample.inlines;
    input.logOnly = sample.logOnly;
    input.loggedSteps = sample.logged;
    if (sample.groupsFrom < sample.order.size()) {
        FusePart group{.instructions = {}, .maps = {}};
        group.group = true;
        group.tailCallIndex = static_cast<std::uint32_t>(sample.members.size());
        input.order.resize(sample.groupsFrom);
        input.order.push_back(input.parts.size());
        input.parts.push_back(std::move(group));
    }
    if (sample.counts)
        input.counterMap = kCounters;
    if (sample.reports)
        input.reporter = reporterOf(reports);
    input.tailCallArray = kTailCalls;
    if (sample.interim)
        input.gateArray = kGate;
    return fuse(input);
}

// Makes a program of their own of the members from that place on.
inline FusedProgram groupOf(const Sample& sample) {
    const auto reports = reporter();
    const auto filters = filtersOf(sample);
    FuseInput input{.direction = sample.direction, .parts = {}, .order = {}};
    for (std::size_t i = 0; i < sample.members.size(); ++i) {
        input.parts.push_back({.instructions = filters[i], .maps = {}});
        input.parts.back().counterSlot = std::min(sample.members[i].slot, kLastFilterSlot);
        input.parts.back().programId = programIdOf(i);
    }
    if (sample.reports)
        input.reporter = reporterOf(reports);
    input.order.assign(sample.order.begin() + static_cast<std::ptrdiff_t>(sample.groupsFrom),
                       sample.order.end());
    input.congestion = sample.congestion;
    input.inlines = sample.inlines;
    input.isGroup = true;
    return fuse(input).value();
}

inline Machine machineFor(const FusedProgram& program, const Sample& sample) {
    Machine machine(program);
    if (sample.groupsFrom < sample.order.size())
        machine.groups.emplace(sample.members.size(), groupOf(sample));
    for (std::size_t i = 0; i < sample.members.size(); ++i)
        if (sample.members[i].isTailCall)
            machine.tailCalls[i] = {static_cast<std::int32_t>(i),
                                    static_cast<std::uint64_t>(sample.members[i].verdict)};
    machine.gateWord = sample.gateWord;
    return machine;
}

inline Outcome expected(const Sample& sample) {
    Outcome outcome;
    bool drops = false;
    std::uint64_t bits = 0;
    const std::uint64_t deeper = (sample.gateWord & kGateCongestionBit) != 0 ? 2 : 0;
    for (std::size_t step = 0; step < sample.order.size(); ++step) {
        const std::size_t place = sample.order[step];
        const auto& member = sample.members[place];
        const auto verdict = static_cast<std::uint64_t>(member.verdict);
        outcome.ran.push_back(static_cast<std::int32_t>(place));
        bits |= verdict & 2;
        if ((verdict & 1) != 0)
            continue;
        if (sample.counts && member.slot >= kFirstFilterSlot && member.slot <= kLastFilterSlot)
            ++outcome.counts[member.slot];
        const bool isLogged = step < sample.logged;
        if (sample.reports)
            outcome.reports.emplace_back(programIdOf(place), isLogged ? kLoggedFlags : kReportFlags);
        if (isLogged) {
            step = sample.logged - 1;
            continue;
        }
        drops = true;
        if (sample.logOnly)
            break;
        outcome.verdict = bits;
        if (sample.interim && sample.direction == Direction::Egress)
            outcome.verdict |= deeper;
        return outcome;
    }
    outcome.counts[kPassedSlot] = sample.counts && !drops ? 1 : 0;
    outcome.atGate = sample.interim;
    outcome.verdict = bits | 1;
    outcome.cb[4] = sample.gateWord | static_cast<std::uint32_t>(bits << 15);
    return outcome;
}

inline Outcome run(const Sample& sample) {
    const auto program = fuseSample(sample);
    EXPECT_TRUE(program) << (program ? "" : program.error().message);
    return program ? machineFor(*program, sample).run() : Outcome{};
}

inline void check(const Sample& sample) {
    const auto wanted = expected(sample);
    const auto got = run(sample);
    EXPECT_EQ(got.ran, wanted.ran);
    EXPECT_EQ(got.counts, wanted.counts);
    EXPECT_EQ(got.reports, wanted.reports);
    for (std::size_t slot = 0; slot < got.bytes.size(); ++slot)
        EXPECT_EQ(got.bytes[slot], got.counts[slot] * kPacketLength);
    EXPECT_EQ(got.atGate, wanted.atGate);
    EXPECT_FALSE(got.sawForeignCb) << "a filter saw what another left in skb->cb";
    EXPECT_EQ(wanted.atGate ? got.cb[4] : got.verdict, wanted.atGate ? wanted.cb[4] : wanted.verdict);
}

} // namespace filterd::test
