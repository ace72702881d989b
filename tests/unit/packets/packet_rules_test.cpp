// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The parts of the compiler of packet rules. That whole programs do what libpcap would is tested on the
// kernel.

#include "cbpf_programs.hpp"
#include "core/ebpf/assembler.hpp"
#include "core/packet_rules/rules.hpp"
#include "core/packet_rules/rules_program.hpp"
#include "core/packet_rules/view.hpp"

#include <gtest/gtest.h>

#include <random>

namespace filterd::packet {

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

// libpcap's own interpreter ends the process at any other.
TEST(ClassicProgram, HasNoInstructionsThatNobodyKnows) {
    const auto reads = [](std::uint16_t code) {
        return read(CbpfProgram{{code, 0, 0, 0}, end(1)}).has_value();
    };
    for (const int code : {BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_B | BPF_IND, BPF_LDX | BPF_B | BPF_MSH,
                           BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_IMM, BPF_ST | 0, BPF_STX | 0,
                           BPF_ALU | BPF_NEG, BPF_ALU | BPF_XOR | BPF_X, BPF_JMP | BPF_JA,
                           BPF_JMP | BPF_JSET | BPF_X, BPF_RET | BPF_A, BPF_MISC | BPF_TXA})
        EXPECT_TRUE(reads(static_cast<std::uint16_t>(code))) << code;
    for (const int code :
         {BPF_LD | 0x18 | BPF_ABS, BPF_LD | BPF_B | BPF_MSH, BPF_LD | 0xe0, BPF_LDX | BPF_W | BPF_ABS,
          BPF_LDX | BPF_H | BPF_MSH, BPF_LD | BPF_B | BPF_LEN, BPF_ST | 0x20, BPF_STX | BPF_B,
          BPF_ALU | BPF_NEG | BPF_X, BPF_ALU | 0xb0, BPF_JMP | BPF_JA | BPF_X, BPF_JMP | 0x50,
          BPF_RET | BPF_X, BPF_MISC | 0x40, 0x100 | BPF_RET})
        EXPECT_FALSE(reads(static_cast<std::uint16_t>(code))) << code;
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

TEST(Cbpf, RefusesWhatNoFilterCanDo) {
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

TEST(Cbpf, AsksForTheBytesBeforeTheirValue) {
    Expressions expressions;
    Decisions decisions;
    const auto root = readCbpf(CbpfProgram{load(9), equals(6, 0, 1), end(1), end(0)}, expressions, decisions);
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

TEST(Cbpf, WhatIsNotReadAnyMoreTellsNothingApart) {
    // A is 1 or 2 where the ways meet, but is loaded anew.
    Expressions expressions;
    Decisions decisions;
    const CbpfProgram program{load(0),
                              equals(7, 0, 2),
                              {BPF_LD | BPF_IMM, 0, 0, 1},
                              {BPF_JMP | BPF_JA, 0, 0, 1},
                              {BPF_LD | BPF_IMM, 0, 0, 2},
                              load(9),
                              equals(6, 0, 1),
                              end(1),
                              end(0)};
    const auto root = readCbpf(program, expressions, decisions);
    ASSERT_TRUE(root);
    EXPECT_EQ(decisions[decisions[*root].inside].subject, expressions.fits(1, kNoExpr, 9));
}

// libpcap's unoptimised programs calculate with constants, in scratch words.
TEST(Cbpf, ConstantsAreCalculatedBeforehand) {
    const auto constants = [](std::uint32_t left, std::uint32_t right) {
        return CbpfProgram{{BPF_LD | BPF_IMM, 0, 0, left},
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

TEST(Cbpf, ADifferenceThatIsZeroIsAComparison) {
    Expressions expressions;
    Decisions decisions;
    const CbpfProgram program{
        load(9), {BPF_LDX | BPF_IMM, 0, 0, 6}, {BPF_ALU | BPF_SUB | BPF_X, 0, 0, 0}, equals(0, 0, 1), end(1),
        end(0)};
    const auto root = readCbpf(program, expressions, decisions);
    ASSERT_TRUE(root);
    const Decision value = decisions[decisions[*root].inside];
    EXPECT_EQ(value.subject, expressions.load(1, kNoExpr, 9));
    EXPECT_EQ(value.range, (Range{6, 6}));
}

TEST(Cbpf, LongProgramsNeedNoDeepStack) {
    constexpr std::uint32_t kQuestions = 9'000; // each a frontier or two, of which 20,000 are followed
    CbpfProgram program;
    for (std::uint32_t i = 0; i < kQuestions; ++i) {
        program.push_back(load(i % 200));
        program.push_back(equals(i % 251, 0, 1));
        program.push_back({BPF_JMP | BPF_JA, 0, 0, 3 * (kQuestions - i - 1) + 1});
    }
    program.push_back(end(0));
    program.push_back(end(1));
    Expressions expressions;
    Decisions decisions;
    const auto root = readCbpf(program, expressions, decisions);
    ASSERT_TRUE(root);
    EXPECT_FALSE(specialise(*root, wholeView(expressions, Version::V4), expressions, decisions).isLeaf());
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
        CbpfProgram rule;
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
    const CbpfProgram good{load(9), equals(6, 0, 1), end(1), end(0)};
    RulesInput input;
    input.rules = {{good, Verdict::Allow, 2}, {{load(9)}, Verdict::Allow, 3}};
    const auto program = compile(input);
    ASSERT_FALSE(program);
    EXPECT_TRUE(program.error().message.starts_with("rule 2: ")) << program.error().message;
    EXPECT_EQ(program.error().item, "2") << "so that its line is named";
}

} // namespace filterd::packet
