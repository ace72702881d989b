// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The variant of a queue that the guard's gate runs.

#include "queue_bed.hpp"

#include <bpf/bpf.h>

namespace filterd::test {
namespace {

// ---- the interim variant --------------------------------------------------------------------------------

class Interim : public KernelTest {
  protected:
    // A gate that runs slot 1 and lets pass what comes back.
    void SetUp() override {
        KernelTest::SetUp();
        array_ = UniqueFd(::bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "test_gate", 4, 4, 2, nullptr));
        ASSERT_TRUE(array_);
        entry_ = loadRaw(call());
        const auto back = loadRaw({set(BPF_REG_0, 1), leave()});
        ASSERT_TRUE(entry_ && back);
        setSlot(0, back.get());
    }

    static bpf_insn insn(int code, int target, int source, int immediate, int offset = 0) {
        bpf_insn result{};
        result.code = static_cast<__u8>(code);
        result.dst_reg = target & 0xf;
        result.src_reg = source & 0xf;
        result.off = static_cast<__s16>(offset);
        result.imm = immediate;
        return result;
    }
    static bpf_insn set(int target, int value) { return insn(BPF_ALU64 | BPF_MOV | BPF_K, target, 0, value); }
    static bpf_insn leave() { return insn(BPF_JMP | BPF_EXIT, 0, 0, 0); }

    [[nodiscard]] std::vector<bpf_insn> call() const {
        return {insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, array_.get()),
                insn(0, 0, 0, 0),
                set(BPF_REG_3, 1),
                insn(BPF_JMP | BPF_CALL, 0, 0, BPF_FUNC_tail_call),
                set(BPF_REG_0, 0),
                leave()};
    }
    // The same with a word for the way back.
    [[nodiscard]] std::vector<bpf_insn> callWith(std::int32_t word) const {
        auto code = call();
        code.insert(code.begin(), {set(BPF_REG_2, word), insn(BPF_STX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_2,
                                                              0, offsetof(__sk_buff, cb[4]))});
        return code;
    }
    // Drops when the word is another.
    static std::vector<bpf_insn> comparing(std::int32_t word) {
        return {insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, 0, offsetof(__sk_buff, cb[4])),
                set(BPF_REG_0, 1), insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_2, 0, word, 1), set(BPF_REG_0, 0),
                leave()};
    }

    std::vector<DropReport> drained() {
        std::vector<DropReport> reports;
        EXPECT_TRUE(
            kernel().dropReports().drain([&](const DropReport& report) { reports.push_back(report); }));
        return reports;
    }

    void setSlot(std::uint32_t slot, int program) {
        ASSERT_EQ(::bpf_map_update_elem(array_.get(), &slot, &program, BPF_ANY), 0);
    }
    static UniqueFd loadRaw(const std::vector<bpf_insn>& code) {
        bpf_prog_load_opts options{};
        options.sz = sizeof options;
        options.expected_attach_type = BPF_CGROUP_INET_EGRESS;
        return UniqueFd(::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "test_gate", "GPL", code.data(),
                                        code.size(), &options));
    }

    UniqueFd array_;
    UniqueFd entry_;
};

TEST_F(Interim, RunsTheQueueAndReturnsToTheGate) {
    const auto queue = build(Direction::Egress, {load("a", "not_9999"), load("b", "scribble"),
                                                 load("c", "private_cb"), load("d", "", "other_license")});
    const auto interim = kernel().interimProgram(queue, array_.get());
    ASSERT_TRUE(interim) << interim.error().message;
    EXPECT_EQ(verdictOf(entry_.get(), kOpenPort), 0U) << "the gate's slot is still empty";
    setSlot(1, interim->get());
    EXPECT_EQ(verdictOf(entry_.get(), kOpenPort), 1U);
    EXPECT_EQ(verdictOf(entry_.get(), kDroppedPort), 0U);
    // Made again it shares the array of tail calls; the older one goes on working.
    const auto again = kernel().interimProgram(queue, array_.get());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(verdictOf(entry_.get(), kOpenPort), 1U);
    restart();
    EXPECT_EQ(verdictOf(entry_.get(), kOpenPort), 1U);
}

TEST_F(Interim, RunsTheGroupsOfALongQueue) {
    std::vector<FilterInstance> filters;
    for (int i = 0; i < 70; ++i)
        filters.push_back(load("many-" + std::to_string(i), "count"));
    filters.push_back(load("writes", "scribble"));
    filters.push_back(load("looks", "private_cb"));
    filters.push_back(load("judge", "not_9999"));
    const auto interim = kernel().interimProgram(build(Direction::Egress, filters), array_.get());
    ASSERT_TRUE(interim) << interim.error().message;
    setSlot(1, interim->get());
    restart();
    EXPECT_EQ(verdictOf(entry_.get(), kOpenPort), 1U);
    EXPECT_EQ(verdictOf(entry_.get(), kDroppedPort), 0U);
}

TEST_F(Interim, ReportsWhatItDrops) {
    const Unit unit("unit.service");
    const auto judge = tryLoad("judge", "not_9999");
    ASSERT_TRUE(judge);
    const auto queue = build(Direction::Egress, {load("a", "scribble"), judge->instance});
    const auto interim = kernel().interimProgram(queue, array_.get());
    ASSERT_TRUE(interim) << interim.error().message;
    setSlot(1, interim->get());
    const UniqueFd link(
        ::bpf_link_create(entry_.get(), unit.openDirectory().get(), BPF_CGROUP_INET_EGRESS, nullptr));
    ASSERT_TRUE(link);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    const auto reports = drained();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_TRUE(reports[0].interim);
    EXPECT_EQ(reports[0].cgroup, unit.cgroup().id);
    EXPECT_EQ(reports[0].programId, judge->programId);
    EXPECT_EQ(reports[0].direction, Direction::Egress);
}

// The gate goes on with the cgroups above, by its word.
TEST_F(Interim, WhatOnlyLogsReportsAndKeepsTheGatesWord) {
    Queue queue{
        Direction::Egress, {load("a", "scribble"), load("judge", "not_9999")}, false, Fallback::Allow};
    queue.logOnly = true;
    ASSERT_TRUE(kernel().buildQueue(queue));
    const auto interim = kernel().interimProgram(queue, array_.get());
    ASSERT_TRUE(interim) << interim.error().message;
    setSlot(1, interim->get());
    const std::int32_t word = 7;
    const auto gate = loadRaw(callWith(word));
    const auto back = loadRaw(comparing(word));
    ASSERT_TRUE(gate && back);
    setSlot(0, back.get());
    EXPECT_EQ(verdictOf(gate.get(), kOpenPort), 1U);
    EXPECT_EQ(verdictOf(gate.get(), kDroppedPort), 1U);
    const auto reports = drained();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_TRUE(reports[0].interim && reports[0].logOnly);
}

TEST_F(Interim, OfAQueueOfLinksThereIsNone) {
    const auto queue = build(Direction::Egress, {load("s", "", "storage")});
    const auto refused = kernel().interimProgram(queue, array_.get());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
}

} // namespace
} // namespace filterd::test
