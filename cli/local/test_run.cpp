// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/local/test_run.hpp"

#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sys/stat.h>

namespace filterd::bpf {

namespace {

// The kernel wants a frame and takes the Ethernet header, of which it reads the type alone, off again.
std::vector<std::byte> frameOf(const packet::IpPacket& packet) {
    std::vector<std::byte> frame(ETH_HLEN - 2, std::byte{0});
    frame.push_back(static_cast<std::byte>(packet.etherType >> 8));
    frame.push_back(static_cast<std::byte>(packet.etherType & 0xff));
    frame.insert(frame.end(), packet.bytes.begin(), packet.bytes.end());
    return frame;
}

// What came in has the interface that it came in by; that one is always there.
unsigned loopback() {
    static const unsigned index = std::max(::if_nametoindex("lo"), 1U);
    return index;
}

Result<bool> passes(int program, const std::vector<std::byte>& frame, __sk_buff& context) {
    __sk_buff after{};
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<__u32>(frame.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof context;
    options.ctx_out = &after;
    options.ctx_size_out = sizeof after;
    options.repeat = 1;
    if (::bpf_prog_test_run_opts(program, &options) < 0) {
        if (frame.size() > kAlwaysTaken + ETH_HLEN)
            return failure(ErrorCode::LimitExceeded, "the packet is too large for a test run in the kernel");
        return failure(systemError("run the program", errno));
    }
    context.mark = after.mark;
    context.priority = after.priority;
    context.tstamp = after.tstamp;
    return (options.retval & 1U) != 0; // the other bit asks for congestion notification
}

Result<UniqueFd> openProgram(const std::filesystem::path& pin) {
    struct stat file {};
    if (::stat(pin.c_str(), &file) < 0 && errno == ENOENT)
        return failure(ErrorCode::NoSuchFilter, "no filter is loaded as " + pin.string());
    auto program = openPin(pin);
    if (!program)
        return failure(program.error());
    const auto info = programInfo(program->get());
    if (!info)
        return failure(ErrorCode::WrongProgramType, pin.string() + " is no pin of a program");
    if (info->type != BPF_PROG_TYPE_CGROUP_SKB)
        return failure(ErrorCode::WrongProgramType, pin.string() + " is no cgroup_skb program");
    return program;
}

} // namespace

Result<TestQueue> TestQueue::open(const std::vector<std::filesystem::path>& pins) {
    std::vector<UniqueFd> programs;
    for (const auto& pin : pins) {
        auto program = openProgram(pin);
        if (!program)
            return failure(program.error());
        programs.push_back(std::move(*program));
    }
    return TestQueue(std::move(programs));
}

Result<std::optional<std::size_t>> TestQueue::judge(const packet::IpPacket& packet,
                                                    Direction direction) const {
    const auto frame = frameOf(packet);
    __sk_buff context{};
    context.ingress_ifindex = direction == Direction::Ingress ? loopback() : 0;
    for (std::size_t i = 0; i < programs_.size(); ++i) {
        const auto passed = passes(programs_[i].get(), frame, context);
        if (!passed)
            return failure(passed.error());
        if (!*passed)
            return i;
    }
    return std::nullopt;
}

} // namespace filterd::bpf
