// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What the guard's gate costs the packets of units that are not held.

#include "edge/guard/guard.hpp"
#include "edge/guard/pins/guard_pins.hpp"
#include "measure.hpp"

#include <bpf/bpf.h>

#include <array>
#include <filesystem>

namespace filterd::bench {

namespace {

constexpr int kRounds = 21;
constexpr int kRepeat = 300000;

double runTimeOf(int program) {
    std::array<unsigned char, 64> packet{};
    packet[12] = 0x08;
    packet[14] = 0x45;
    packet[23] = 17;
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = packet.data();
    options.data_size_in = packet.size();
    options.repeat = kRepeat;
    return processorTimeOf([&] {
               if (::bpf_prog_test_run_opts(program, &options) < 0)
                   fatal("run a program");
           }) /
           kRepeat;
}

} // namespace

Rows measureGate() {
    Daemon daemon;
    const auto trivial = daemon.program(daemon.load("trivial", "trivial"));
    const auto opened = need(openGuard({kPins, kCgroups, {}, 0}));
    if (!opened.guard) {
        std::fprintf(stderr, "no gate on this kernel: %s\n", opened.support.reason.c_str());
        return {};
    }
    const auto directory = layoutDirectory(kPins, pinnedLayouts(kPins).back());
    const UniqueFd gate(::bpf_obj_get((directory / "gate_egress").c_str()));
    if (!gate)
        fatal("open the gate");
    const auto times = inTurns(
        kRounds, [&] { return runTimeOf(gate.get()); }, [&] { return runTimeOf(trivial.get()); });
    return {{"idle gate, by TEST_RUN", "ns", times.ours, times.peer, 1.15}};
}

} // namespace filterd::bench
