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
        const auto insn = [](int code, int target, int source, int immediate) {
            bpf_insn result{};
            result.code = static_cast<__u8>(code);
            result.dst_reg = target & 0xf;
            result.src_reg = source & 0xf;
            result.imm = immediate;
            return result;
        };
        const std::vector<bpf_insn> call{
            insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, array_.get()),
            insn(0, 0, 0, 0),
            insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 1),
            insn(BPF_JMP | BPF_CALL, 0, 0, BPF_FUNC_tail_call),
            insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0),
            insn(BPF_JMP | BPF_EXIT, 0, 0, 0)};
        const std::vector<bpf_insn> pass{insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 1),
                                         insn(BPF_JMP | BPF_EXIT, 0, 0, 0)};
        entry_ = loadRaw(call);
        const auto back = loadRaw(pass);
        ASSERT_TRUE(entry_ && back);
        setSlot(0, back.get());
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
    // Made again it shares the array of stubs; the older one goes on working.
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

TEST_F(Interim, OfAQueueOfLinksThereIsNone) {
    const auto queue = build(Direction::Egress, {load("s", "", "storage")});
    const auto refused = kernel().interimProgram(queue, array_.get());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
}

} // namespace
} // namespace filterd::test
