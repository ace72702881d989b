// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What a filter's instructions tell, and what they are within another function.

#include "fuse_machine.hpp"

#include <gtest/gtest.h>

namespace filterd::test {
namespace {

// ---- examine --------------------------------------------------------------------------------------------

TEST(Examine, FindsFunctionsCallbacksAndMaps) {
    const auto traits = examine(withFunctions(4));
    EXPECT_EQ(traits.functions, 3U);
    EXPECT_EQ(traits.maps, std::vector<std::uint32_t>{4});
    EXPECT_FALSE(traits.tailCalls);
    EXPECT_FALSE(traits.refersToModules);
    EXPECT_TRUE(traits.kernelCalls.empty());
}

TEST(Examine, NamesEveryMapOnceInAscendingOrder) {
    Program code;
    for (const std::int32_t map : {7, 2, 7, 3}) {
        code.push_back(insn(kWide, BPF_REG_1, map == 3 ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD, 0, map));
        code.push_back(insn(0));
    }
    code.push_back(leave());
    EXPECT_EQ(examine(code).maps, (std::vector<std::uint32_t>{2, 3, 7}));
}

TEST(Examine, TakesNoConstantForAnInstruction) {
    // The second half of a constant may look like anything, its code is zero only by convention.
    const Program code{insn(kWide, BPF_REG_1, 0, 0, 1), insn(kCallCode, 0, 0, 0, BPF_FUNC_tail_call),
                       set(BPF_REG_0, 1), leave()};
    EXPECT_FALSE(examine(code).tailCalls);
}

TEST(Examine, SuspectsWhatMayTouchSkbCb) {
    const auto load = [](std::size_t offset) {
        return Program{
            insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_1, static_cast<std::int16_t>(offset)),
            leave()};
    };
    const auto first = offsetof(__sk_buff, cb);
    for (const std::size_t offset : {first, first + 3, first + 16, first + 19}) {
        EXPECT_TRUE(examine(load(offset)).readsCb) << offset;
        EXPECT_FALSE(examine(load(offset)).writesCb) << offset;
    }
    for (const std::size_t offset : {offsetof(__sk_buff, len), first + 20, first - 4})
        EXPECT_FALSE(examine(load(offset)).readsCb) << offset;
    EXPECT_TRUE(examine(filter(0, 1)).writesCb);
    EXPECT_TRUE(examine(Program{insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_1, 0, first, 1), leave()}).writesCb);
    const Program tail{insn(kCallCode, 0, 0, 0, BPF_FUNC_tail_call), leave()};
    EXPECT_TRUE(examine(tail).readsCb && examine(tail).writesCb) << "what it calls may";
}

TEST(Examine, SeesTailCallsKernelFunctionsAndModules) {
    EXPECT_TRUE(examine(Program{insn(kCallCode, 0, 0, 0, BPF_FUNC_tail_call), leave()}).tailCalls);
    // A kernel function of the same number is no tail call.
    const Program kernel{insn(kCallCode, 0, BPF_PSEUDO_KFUNC_CALL, 0, BPF_FUNC_tail_call), leave()};
    EXPECT_FALSE(examine(kernel).tailCalls);
    EXPECT_EQ(examine(kernel).kernelCalls, std::vector<std::int32_t>{BPF_FUNC_tail_call});
    EXPECT_FALSE(examine(kernel).refersToModules);
    const Program module{insn(kCallCode, 0, BPF_PSEUDO_KFUNC_CALL, 3, 9), leave()};
    EXPECT_TRUE(examine(module).refersToModules);
    const Program variable{insn(kWide, BPF_REG_1, BPF_PSEUDO_BTF_ID, 0, 9), insn(0, 0, 0, 0, 4), leave()};
    EXPECT_TRUE(examine(variable).refersToModules);
}

// ---- within another function ----------------------------------------------------------------------------

TEST(Inlined, LeavesAFunctionWhatHasToBeOne) {
    const std::vector<std::uint8_t> registers{BPF_REG_9, BPF_REG_8, BPF_REG_7};
    const auto refused = [&](bpf_insn insn) {
        return inlined(Program{set(BPF_REG_0, 1), insn, leave()}, registers).empty();
    };
    EXPECT_FALSE(refused(insn(kCallCode, 0, 0, 0, BPF_FUNC_ktime_get_ns)));
    EXPECT_FALSE(refused(insn(kCallCode, 0, BPF_PSEUDO_KFUNC_CALL, 0, BPF_FUNC_tail_call)));
    EXPECT_TRUE(refused(insn(kCallCode, 0, 0, 0, BPF_FUNC_tail_call)));
    EXPECT_TRUE(refused(insn(kCallCode, 0, BPF_PSEUDO_CALL, 0, 0)));
    EXPECT_TRUE(refused(insn(kWide, BPF_REG_1, BPF_PSEUDO_FUNC, 0, 1)));
    EXPECT_TRUE(refused(insn(BPF_LD | BPF_ABS | BPF_W)));
    EXPECT_TRUE(refused(insn(BPF_JMP | BPF_JA | BPF_X, BPF_REG_1)));
    EXPECT_TRUE(refused(insn(BPF_JMP | BPF_CALL | BPF_X, BPF_REG_1)));
    EXPECT_TRUE(inlined(busyFilter(0, 1), std::vector<std::uint8_t>{BPF_REG_9, BPF_REG_8}).empty());
}

TEST(Inlined, RenamesRegistersButNoConstants) {
    const Program code{insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1),
                       insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_6),
                       insn(BPF_JMP32 | BPF_JGT | BPF_X, BPF_REG_7, BPF_REG_6, 1),
                       insn(kWide, BPF_REG_6, BPF_PSEUDO_MAP_IDX_VALUE),
                       insn(0, 6, 7, 0, 1), // the second half of a constant
                       leave()};
    const auto result = inlined(code, std::vector<std::uint8_t>{BPF_REG_9, BPF_REG_8});
    ASSERT_EQ(result.size(), 5U) << "the last way out is the end";
    EXPECT_EQ(result[0].dst_reg, BPF_REG_9);
    EXPECT_EQ(result[0].src_reg, BPF_REG_1);
    EXPECT_EQ(result[1].dst_reg, BPF_REG_8);
    EXPECT_EQ(result[1].src_reg, BPF_REG_9);
    EXPECT_EQ(result[2].src_reg, BPF_REG_9);
    EXPECT_EQ(result[3].dst_reg, BPF_REG_9);
    EXPECT_EQ(result[3].src_reg, BPF_PSEUDO_MAP_IDX_VALUE);
    EXPECT_EQ(result[4].dst_reg, 6);
    EXPECT_EQ(result[4].src_reg, 7);
}

} // namespace
} // namespace filterd::test
