// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The graphs of decisions that packet rules become.

#include "cbpf_programs.hpp"
#include "core/ebpf/assembler.hpp"
#include "core/packet_rules/rules.hpp"
#include "core/packet_rules/rules_program.hpp"
#include "core/packet_rules/view.hpp"

#include <gtest/gtest.h>

#include <random>

namespace filterd::packet {

TEST(Expressions, WhatChangesNoValueIsLeftOut) {
    Expressions e;
    const ExprId byte = e.load(1, kNoExpr, 6);
    EXPECT_EQ(e.binary(Op::And, byte, e.constant(0xff)), byte);
    EXPECT_NE(e.binary(Op::And, byte, e.constant(0x7f)), byte);
    EXPECT_EQ(e.binary(Op::Add, e.constant(0), byte), byte);
    EXPECT_EQ(e.binary(Op::Subtract, byte, byte), e.constant(0));
    EXPECT_EQ(e.binary(Op::ShiftRight, byte, e.constant(32)), e.constant(0));
    EXPECT_EQ(e.binary(Op::Multiply, byte, e.constant(0)), e.constant(0));
    EXPECT_EQ(e.binary(Op::Subtract, e.constant(0), byte), e.binary(Op::Subtract, e.constant(0), byte));
    EXPECT_NE(e.binary(Op::Subtract, e.constant(0), byte), byte);
}

TEST(Expressions, ComparisonsWithAConstantAreRanges) {
    Expressions e;
    const ExprId word = e.load(4, kNoExpr, 0);
    const auto range = [&](Comparison comparison, ExprId left, ExprId right) {
        return e.compare(comparison, left, right).range;
    };
    EXPECT_EQ(range(Comparison::Greater, word, e.constant(5)), (Range{6, kMaxValue}));
    EXPECT_EQ(range(Comparison::AtLeast, word, e.constant(5)), (Range{5, kMaxValue}));
    EXPECT_EQ(range(Comparison::Greater, e.constant(5), word), (Range{0, 4}));
    EXPECT_EQ(range(Comparison::AtLeast, e.constant(5), word), (Range{0, 5}));
    EXPECT_EQ(range(Comparison::Equal, e.constant(5), word), (Range{5, 5}));
    EXPECT_TRUE(e.isConstant(e.compare(Comparison::Greater, word, e.constant(kMaxValue)).subject));
    EXPECT_TRUE(e.isConstant(e.compare(Comparison::Greater, e.constant(0), word).subject));
    const Condition shifted =
        e.compare(Comparison::Equal, e.binary(Op::Add, word, e.constant(3)), e.constant(1));
    EXPECT_EQ(shifted.subject, word);
    EXPECT_EQ(shifted.range, (Range{kMaxValue - 1, kMaxValue - 1}));
}

TEST(Specialise, EveryExtensionHeaderOfTheChainCounts) {
    Expressions expressions;
    Decisions decisions;
    const ExprId upper = expressions.upperProtocol();
    const auto ends = [&](std::uint32_t asked, std::uint32_t chain, std::uint32_t last) {
        const auto rule =
            readCbpf(CbpfProgram{load(6), equals(asked, 0, 1), end(1), end(0)}, expressions, decisions);
        NodeId node = specialise(*rule, hiddenView(expressions, Version::V6), expressions, decisions);
        while (!node.isLeaf()) {
            const Decision& decision = decisions[node];
            const std::uint32_t mask =
                decision.subject == upper ? 0 : expressions.valueOf(expressions[decision.subject].right);
            const std::uint32_t value = decision.subject == upper ? last : chain & mask;
            node = decision.range.contains(value) ? decision.inside : decision.outside;
        }
        return node;
    };
    const std::uint32_t chain = *extensionBit(0) | *extensionBit(60);
    EXPECT_EQ(ends(60, chain, 6), kMatch);
    EXPECT_EQ(ends(0, chain, 6), kMatch);
    EXPECT_EQ(ends(6, chain, 6), kMatch);
    EXPECT_EQ(ends(44, chain, 6), kNoMatch);
    EXPECT_EQ(ends(17, chain, 6), kNoMatch);
    EXPECT_EQ(ends(60, chain, kUnknownProtocol), kMatch);
    EXPECT_EQ(ends(44, chain, kUnknownProtocol), kCannotJudge);
    EXPECT_EQ(ends(17, chain, kUnknownProtocol), kCannotJudge);
    EXPECT_EQ(ends(256, chain, kUnknownProtocol), kNoMatch) << "no byte is 256";
}

TEST(Expressions, OneQuestionIsOneHoweverItIsSpelt) {
    Expressions e;
    const ExprId byte = e.load(1, kNoExpr, 6);
    const ExprId word = e.load(4, kNoExpr, 4);
    const auto masked = [&](ExprId value, std::uint32_t mask) {
        return e.binary(Op::And, value, e.constant(mask));
    };
    const auto shifted = [&](ExprId value, std::uint32_t bits) {
        return e.binary(Op::ShiftRight, value, e.constant(bits));
    };
    for (const auto& [subject, value] :
         std::vector<std::pair<ExprId, std::uint32_t>>{{e.binary(Op::Subtract, e.constant(60), byte), 0},
                                                       {e.binary(Op::Subtract, e.constant(61), byte), 1},
                                                       {e.binary(Op::Subtract, byte, e.constant(60)), 0},
                                                       {masked(byte, 0xff), 60},
                                                       {masked(word, 0xff00), 0x3c00},
                                                       {shifted(masked(word, 0xff00), 8), 60},
                                                       {masked(shifted(word, 8), 0xff), 60},
                                                       {shifted(e.load(2, kNoExpr, 6), 8), 60},
                                                       {masked(e.load(2, kNoExpr, 5), 0xff), 60}}) {
        const Condition asked = e.compare(Comparison::Equal, subject, e.constant(value));
        EXPECT_EQ(asked.subject, byte) << value;
        EXPECT_EQ(asked.range, (Range{60, 60})) << value;
    }
    for (const ExprId other : {word, masked(word, 0xfc00), masked(word, 0x1ff00), shifted(word, 8)})
        EXPECT_EQ(e.compare(Comparison::Equal, other, e.constant(0x3c00)).subject, other);
    EXPECT_EQ(e.compare(Comparison::Equal, masked(word, 0xff00), e.constant(0x3c01)).subject,
              masked(word, 0xff00));
    const ExprId far = masked(e.load(2, kNoExpr, 39), 0xff00); // its neighbour may not be there
    EXPECT_EQ(e.compare(Comparison::Equal, far, e.constant(0)).subject, far);
}

TEST(Expressions, BoundsAreThoseOfTheCalculation) {
    Expressions e;
    const ExprId byte = e.load(1, kNoExpr, 0);
    const auto with = [&](Op op, std::uint32_t constant) { return e.binary(op, byte, e.constant(constant)); };
    EXPECT_EQ(e.maximum(with(Op::Add, 1)), 256U);
    EXPECT_EQ(e.maximum(with(Op::Subtract, 1)), kMaxValue);
    EXPECT_EQ(e.maximum(with(Op::Multiply, 4)), 1020U);
    EXPECT_EQ(e.maximum(with(Op::Multiply, 0x10000000)), kMaxValue) << "it wraps";
    EXPECT_EQ(e.maximum(with(Op::Divide, 2)), 127U);
    EXPECT_EQ(e.maximum(with(Op::Modulo, 10)), 9U);
    EXPECT_EQ(e.maximum(with(Op::ShiftRight, 4)), 15U);
    EXPECT_EQ(e.maximum(with(Op::Or, 0x100)), 0x1ffU);
    EXPECT_EQ(e.bits(with(Op::And, 0xf0)), 0xf0U);
    EXPECT_EQ(e.bits(with(Op::ShiftLeft, 2)), 0x3fcU);
    EXPECT_EQ(e.maximum(with(Op::ShiftLeft, 30)), kMaxValue) << "it wraps";
    EXPECT_EQ(e.bits(with(Op::ShiftLeft, 30)), 0xc0000000U);
}

TEST(Specialise, DecidesWhatTheClassOfPacketsTells) {
    Expressions expressions;
    Decisions decisions;
    const auto tcp = readCbpf(CbpfProgram{load(9), equals(6, 0, 1), end(1), end(0)}, expressions, decisions);
    ASSERT_TRUE(tcp);
    const auto in = [&](const PacketView& view) { return specialise(*tcp, view, expressions, decisions); };
    EXPECT_EQ(in(plainView(expressions, Version::V4, 6)), kMatch);
    EXPECT_EQ(in(plainView(expressions, Version::V4, 17)), kNoMatch);
    EXPECT_EQ(in(plainView(expressions, Version::V4, std::set<std::uint32_t>{6, 17})), kNoMatch);
    EXPECT_EQ(in(hiddenView(expressions, Version::Unknown)), kCannotJudge);
}

TEST(Specialise, CannotJudgeWhatIsHidden) {
    Expressions expressions;
    Decisions decisions;
    // Either a visible protocol or a hidden port.
    const auto rule =
        readCbpf(CbpfProgram{load(9), equals(1, 3, 0), load(30, BPF_H), equals(80, 1, 0), end(0), end(1)},
                 expressions, decisions);
    ASSERT_TRUE(rule);
    const NodeId node = specialise(*rule, hiddenView(expressions, Version::V4), expressions, decisions);
    const ExprId protocol = protocolOf(expressions, Version::V4);
    EXPECT_EQ(follow(node, decisions, {{protocol, 1}}), kMatch.meaning());
    EXPECT_EQ(follow(node, decisions, {{protocol, 6}}), kCannotJudge.meaning());
}

TEST(Link, TheFirstMatchDecides) {
    Decisions decisions;
    const CombinedRule rules[] = {
        {kNoMatch, Verdict::Allow}, {kMatch, Verdict::Deny}, {kMatch, Verdict::Allow}};
    EXPECT_EQ(combine(rules, Verdict::Allow, decisions), leaf(kFirstRule + 1));
    EXPECT_EQ(combine({}, Verdict::Allow, decisions), leaf(kByDefault));
}

TEST(Link, ARuleThatCannotJudgeLeavesItToThoseThatAgree) {
    Decisions decisions;
    const auto linked = [&](std::vector<CombinedRule> rules) {
        return combine(rules, Verdict::Deny, decisions);
    };
    EXPECT_EQ(linked({{kCannotJudge, Verdict::Deny}, {kMatch, Verdict::Deny}}), leaf(kFirstRule + 1));
    EXPECT_EQ(linked({{kCannotJudge, Verdict::Deny}}), leaf(kByDefault));
    EXPECT_EQ(linked({{kCannotJudge, Verdict::Allow}}), leaf(kByUnparsable));
    // A deny that cannot be judged is never overruled by an allow behind it.
    EXPECT_EQ(linked({{kCannotJudge, Verdict::Deny}, {kMatch, Verdict::Allow}}), leaf(kByUnparsable));
    EXPECT_EQ(
        linked({{kCannotJudge, Verdict::Deny}, {kCannotJudge, Verdict::Allow}, {kMatch, Verdict::Deny}}),
        leaf(kByUnparsable));
}

TEST(Shorten, KeepsTheMeaningOfEveryRow) {
    std::mt19937 random(1);
    const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    std::size_t simplified = 0;
    for (int round = 0; round < 300; ++round) {
        Expressions expressions;
        Decisions decisions;
        const ExprId values[] = {expressions.load(2, kNoExpr, 20), expressions.load(2, kNoExpr, 22),
                                 expressions.load(4, kNoExpr, 12)};
        NodeId row = leaf(0);
        for (std::uint32_t i = 1 + below(40); i > 0; --i) {
            const std::uint32_t low = below(50);
            const NodeId deeper = decisions.decide(values[below(3)], {below(30), 60}, leaf(i + 100), row);
            row = decisions.decide(values[below(3)], {low, low + (below(3) == 0 ? below(9) : 0)},
                                   below(4) == 0 ? deeper : leaf(i), row);
        }
        const NodeId quick = simplify(row, decisions);
        simplified += quick == row ? 0 : 1;
        for (int i = 0; i < 200; ++i) {
            const std::map<ExprId, std::uint32_t> packet{
                {values[0], below(64)}, {values[1], below(64)}, {values[2], below(64)}};
            ASSERT_EQ(follow(quick, decisions, packet), follow(row, decisions, packet));
        }
    }
    EXPECT_GT(simplified, 100U);
}

TEST(Shorten, SearchesALongRowOfPorts) {
    Expressions expressions;
    Decisions decisions;
    const ExprId port = expressions.load(2, kNoExpr, 22);
    NodeId row = leaf(0);
    for (std::uint32_t i = 128; i > 0; --i)
        row = decisions.decide(port, {i * 3, i * 3}, leaf(i), row);
    NodeId node = simplify(row, decisions);
    int questions = 0;
    for (; !node.isLeaf(); ++questions)
        node = decisions[node].range.contains(1000) ? decisions[node].inside : decisions[node].outside;
    EXPECT_EQ(node, leaf(0));
    EXPECT_LE(questions, 9);
}

} // namespace filterd::packet
