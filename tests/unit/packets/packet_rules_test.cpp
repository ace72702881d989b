// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The parts of the compiler of packet rules. That whole programs do what libpcap would is tested on the
// kernel.

#include "core/ebpf/assembler.hpp"
#include "core/packet_rules/rules.hpp"
#include "core/packet_rules/rules_program.hpp"
#include "core/packet_rules/view.hpp"

#include <gtest/gtest.h>

#include <random>

namespace filterd::packet {

namespace {

sock_filter load(std::uint32_t offset, std::uint16_t size = BPF_B) {
    return {static_cast<__u16>(BPF_LD | BPF_ABS | size), 0, 0, offset};
}
sock_filter equals(std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
    return {BPF_JMP | BPF_JEQ | BPF_K, yes, no, value};
}
sock_filter end(std::uint32_t value) { return {BPF_RET | BPF_K, 0, 0, value}; }

Result<NodeId> read(const ClassicProgram& program) {
    Expressions expressions;
    Decisions decisions;
    return readClassic(program, expressions, decisions);
}

// Follows a graph with the values of a few loads.
std::uint32_t follow(NodeId node, const Decisions& decisions, const std::map<ExprId, std::uint32_t>& values) {
    while (!node.isLeaf()) {
        const auto& decision = decisions[node];
        node = decision.range.contains(values.at(decision.subject)) ? decision.inside : decision.outside;
    }
    return node.meaning();
}

} // namespace

TEST(PacketRule, IsReadWithItsVerdict) {
    const auto rule = parseRule("  deny \t tcp port 80 ");
    ASSERT_TRUE(rule);
    EXPECT_EQ(*rule, (PacketRule{Verdict::Deny, "tcp port 80"}));
    EXPECT_EQ(toString(*rule), "deny tcp port 80");
}

TEST(PacketRule, IsOneLine) {
    const auto rule = parseRule("allow\ttcp port 80\r\n or deny udp\n");
    ASSERT_TRUE(rule);
    EXPECT_EQ(toString(*rule), "allow tcp port 80   or deny udp");
}

TEST(PacketRule, NamesTheColumnOfAFault) {
    EXPECT_EQ(parseRule("  drop tcp").error().message,
              "column 3: a rule begins with allow or deny, not 'drop'");
    EXPECT_TRUE(parseRule("allow").error().message.starts_with("column 6: an expression is missing"));
    EXPECT_EQ(parseRule("").error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(parseRule("allow " + std::string(kMaxExpression + 1, 'x')).error().code,
              ErrorCode::LimitExceeded);
}

// libpcap would take what stands in front of a NUL byte, and the bus refuses what is not UTF-8 in words of
// its own.
TEST(PacketRule, IsPlainText) {
    using namespace std::string_literals;
    for (const auto& [text, fault] :
         {std::pair("allow tcp\0 port 80"s, "column 10: the byte 0x00 is no"),
          std::pair("deny ud\xff"s, "column 8: the byte 0xff is no"),
          std::pair("allow tcp \xe2\x80\x93 port"s, "column 11: the byte 0xe2 is no"),
          std::pair("allow tcp\x1b[0m"s, "column 10: the byte 0x1b is no")}) {
        const auto refused = parseRule(text);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
        EXPECT_TRUE(refused.error().message.starts_with(fault)) << refused.error().message;
    }
}

TEST(Classic, RefusesWhatNoFilterCanDo) {
    EXPECT_EQ(read({}).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(read({load(0)}).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(read({equals(1, 0, 9), end(0)}).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(read({{BPF_LD | BPF_MEM, 0, 0, 16}, end(0)}).error().code, ErrorCode::InvalidArgument);
    // A jump back, as protochain makes it.
    EXPECT_EQ(read({load(0), {BPF_JMP | BPF_JA, 0, 0, 0xfffffffe}, end(0)}).error().code,
              ErrorCode::Unsupported);
    // `inbound`
    EXPECT_EQ(read({load(0xfffff004, BPF_H), equals(4, 0, 1), end(0), end(1)}).error().code,
              ErrorCode::Unsupported);
}

TEST(Classic, AsksForTheBytesBeforeTheirValue) {
    Expressions expressions;
    Decisions decisions;
    const auto root =
        readClassic(ClassicProgram{load(9), equals(6, 0, 1), end(1), end(0)}, expressions, decisions);
    ASSERT_TRUE(root);
    const Decision fits = decisions[*root];
    EXPECT_EQ(fits.subject, expressions.fits(1, kNoExpr, 9));
    EXPECT_EQ(fits.outside, kNoMatch);
    const Decision value = decisions[fits.inside];
    EXPECT_EQ(value.subject, expressions.load(1, kNoExpr, 9));
    EXPECT_EQ(value.range, (Range{6, 6}));
    EXPECT_EQ(value.inside, kMatch);
    EXPECT_EQ(value.outside, kNoMatch);
}

TEST(Classic, WhatIsNotReadAnyMoreTellsNothingApart) {
    // A is 1 or 2 where the ways meet, but is loaded anew.
    Expressions expressions;
    Decisions decisions;
    const ClassicProgram program{load(0),
                                 equals(7, 0, 2),
                                 {BPF_LD | BPF_IMM, 0, 0, 1},
                                 {BPF_JMP | BPF_JA, 0, 0, 1},
                                 {BPF_LD | BPF_IMM, 0, 0, 2},
                                 load(9),
                                 equals(6, 0, 1),
                                 end(1),
                                 end(0)};
    const auto root = readClassic(program, expressions, decisions);
    ASSERT_TRUE(root);
    EXPECT_EQ(decisions[decisions[*root].inside].subject, expressions.fits(1, kNoExpr, 9));
}

// libpcap's unoptimised programs calculate with constants, in scratch words.
TEST(Classic, ConstantsAreCalculatedBeforehand) {
    const auto constants = [](std::uint32_t left, std::uint32_t right) {
        return ClassicProgram{{BPF_LD | BPF_IMM, 0, 0, left},
                              {BPF_ST, 0, 0, 0},
                              {BPF_LD | BPF_IMM, 0, 0, right},
                              {BPF_ST, 0, 0, 1},
                              {BPF_LDX | BPF_MEM, 0, 0, 1},
                              {BPF_LD | BPF_MEM, 0, 0, 0},
                              {BPF_ALU | BPF_SUB | BPF_X, 0, 0, 0},
                              equals(0, 0, 1),
                              end(1),
                              end(0)};
    };
    EXPECT_EQ(*read(constants(1, 1)), kMatch);
    EXPECT_EQ(*read(constants(1, 2)), kNoMatch);
    EXPECT_EQ(*read({{BPF_LD | BPF_IMM, 0, 0, 8}, {BPF_ALU | BPF_DIV | BPF_K, 0, 0, 0}, end(1)}), kNoMatch);
}

TEST(Classic, ADifferenceThatIsZeroIsAComparison) {
    Expressions expressions;
    Decisions decisions;
    const ClassicProgram program{
        load(9), {BPF_LDX | BPF_IMM, 0, 0, 6}, {BPF_ALU | BPF_SUB | BPF_X, 0, 0, 0}, equals(0, 0, 1), end(1),
        end(0)};
    const auto root = readClassic(program, expressions, decisions);
    ASSERT_TRUE(root);
    const Decision value = decisions[decisions[*root].inside];
    EXPECT_EQ(value.subject, expressions.load(1, kNoExpr, 9));
    EXPECT_EQ(value.range, (Range{6, 6}));
}

TEST(Classic, LongProgramsNeedNoDeepStack) {
    constexpr std::uint32_t kQuestions = 9'000; // each a frontier or two, of which 20,000 are followed
    ClassicProgram program;
    for (std::uint32_t i = 0; i < kQuestions; ++i) {
        program.push_back(load(i % 200));
        program.push_back(equals(i % 251, 0, 1));
        program.push_back({BPF_JMP | BPF_JA, 0, 0, 3 * (kQuestions - i - 1) + 1});
    }
    program.push_back(end(0));
    program.push_back(end(1));
    Expressions expressions;
    Decisions decisions;
    const auto root = readClassic(program, expressions, decisions);
    ASSERT_TRUE(root);
    EXPECT_FALSE(specialise(*root, wholeView(expressions, Version::V4), expressions, decisions).isLeaf());
}

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
            readClassic(ClassicProgram{load(6), equals(asked, 0, 1), end(1), end(0)}, expressions, decisions);
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
    const auto tcp =
        readClassic(ClassicProgram{load(9), equals(6, 0, 1), end(1), end(0)}, expressions, decisions);
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
    const auto rule = readClassic(
        ClassicProgram{load(9), equals(1, 3, 0), load(30, BPF_H), equals(80, 1, 0), end(0), end(1)},
        expressions, decisions);
    ASSERT_TRUE(rule);
    const NodeId node = specialise(*rule, hiddenView(expressions, Version::V4), expressions, decisions);
    const ExprId protocol = protocolOf(expressions, Version::V4);
    EXPECT_EQ(follow(node, decisions, {{protocol, 1}}), kMatch.meaning());
    EXPECT_EQ(follow(node, decisions, {{protocol, 6}}), kCannotJudge.meaning());
}

TEST(Link, TheFirstMatchDecides) {
    Decisions decisions;
    const LinkedRule rules[] = {
        {kNoMatch, Verdict::Allow}, {kMatch, Verdict::Deny}, {kMatch, Verdict::Allow}};
    EXPECT_EQ(link(rules, Verdict::Allow, decisions), leaf(kFirstRule + 1));
    EXPECT_EQ(link({}, Verdict::Allow, decisions), leaf(kByDefault));
}

TEST(Link, ARuleThatCannotJudgeLeavesItToThoseThatAgree) {
    Decisions decisions;
    const auto linked = [&](std::vector<LinkedRule> rules) { return link(rules, Verdict::Deny, decisions); };
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
    std::size_t shortened = 0;
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
        const NodeId quick = shorten(row, decisions);
        shortened += quick == row ? 0 : 1;
        for (int i = 0; i < 200; ++i) {
            const std::map<ExprId, std::uint32_t> packet{
                {values[0], below(64)}, {values[1], below(64)}, {values[2], below(64)}};
            ASSERT_EQ(follow(quick, decisions, packet), follow(row, decisions, packet));
        }
    }
    EXPECT_GT(shortened, 100U);
}

TEST(Shorten, SearchesALongRowOfPorts) {
    Expressions expressions;
    Decisions decisions;
    const ExprId port = expressions.load(2, kNoExpr, 22);
    NodeId row = leaf(0);
    for (std::uint32_t i = 128; i > 0; --i)
        row = decisions.decide(port, {i * 3, i * 3}, leaf(i), row);
    NodeId node = shorten(row, decisions);
    int questions = 0;
    for (; !node.isLeaf(); ++questions)
        node = decisions[node].range.contains(1000) ? decisions[node].inside : decisions[node].outside;
    EXPECT_EQ(node, leaf(0));
    EXPECT_LE(questions, 9);
}

TEST(Assembler, RefusesAJumpThatIsTooFar) {
    Assembler code;
    const Label far = code.label();
    code.jump(far);
    for (int i = 0; i < 40'000; ++i)
        code.set(BPF_REG_0, 1);
    code.place(far);
    code.exit();
    const auto program = code.finish();
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().code, ErrorCode::LimitExceeded);
}

// The verifier refuses other reads of the stack.
TEST(Compile, ReadsTheCopiedHeaderInItsPlace) {
    for (const std::uint16_t size : {std::uint16_t{BPF_H}, std::uint16_t{BPF_W}})
        for (std::uint32_t offset = 0; offset < 36; ++offset) {
            RulesInput input;
            input.rules = {
                {{load(offset, size), equals(5, 0, 1), end(1), end(0)}, Verdict::Allow, kFirstRule}};
            const auto program = compileSmall(input);
            ASSERT_TRUE(program) << program.error().message;
            for (const auto& insn : *program) {
                const int bytes = BPF_SIZE(insn.code) == BPF_W   ? 4
                                  : BPF_SIZE(insn.code) == BPF_H ? 2
                                  : BPF_SIZE(insn.code) == BPF_B ? 1
                                                                 : 8;
                const bool readsStack = BPF_CLASS(insn.code) == BPF_LDX && insn.src_reg == BPF_REG_10;
                EXPECT_TRUE(!readsStack || insn.off % bytes == 0) << offset;
            }
        }
}

TEST(Compile, SaysTheLimitOfAProgram) {
    RulesInput input;
    for (std::uint32_t i = 0; i < 150; ++i) {
        ClassicProgram rule;
        for (std::uint32_t byte = 0; byte < 20; ++byte) {
            rule.push_back(load(byte));
            rule.push_back(equals((i + byte) % 256, 0, static_cast<std::uint8_t>(2 * (19 - byte) + 1)));
        }
        rule.push_back(end(1));
        rule.push_back(end(0));
        input.rules.push_back({rule, Verdict::Allow, kFirstRule + i});
    }
    const auto program = compile(input);
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().code, ErrorCode::LimitExceeded);
    EXPECT_NE(program.error().message.find("32,767"), std::string::npos) << program.error().message;
}

TEST(Compile, NamesTheRuleThatCannotBeCompiled) {
    const ClassicProgram good{load(9), equals(6, 0, 1), end(1), end(0)};
    RulesInput input;
    input.rules = {{good, Verdict::Allow, 2}, {{load(9)}, Verdict::Allow, 3}};
    const auto program = compile(input);
    ASSERT_FALSE(program);
    EXPECT_TRUE(program.error().message.starts_with("rule 2: ")) << program.error().message;
    EXPECT_EQ(program.error().item, "2") << "so that its line is named";
}

} // namespace filterd::packet
