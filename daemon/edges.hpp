// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The outside, opened before anything is decided: the kernel, cgroupfs, the guard, files, and what tells of
// changes.

#include "app/holds/guard_keeper.hpp"
#include "base/event_loop.hpp"
#include "edge/bpf/bpf_kernel.hpp"
#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/bpf/pinned_state.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "edge/host/cgroup_watch.hpp"
#include "edge/host/config_files.hpp"
#include "edge/host/crash_files.hpp"
#include "edge/host/instance_lock.hpp"
#include "edge/host/kept_file.hpp"
#include "edge/host/parameter_files.hpp"
#include "edge/host/pin_watch.hpp"
#include "edge/host/switch_watch.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "edge/worker/workshop.hpp"

#include <memory>
#include <optional>

namespace filterd {

// This very program, also after a newer one was installed in its place.
inline constexpr const char* kOwnProgram = "/proc/self/exe";

// Feeds the watchdog, and puts off the end of the time that systemd allows for a start: while the daemon
// waits for a worker the event loop does not turn. A single job gets no more than its time.
void tellProgress();

struct Edges {
    // The kernel's room is prepared, and the guard of this kernel is open.
    [[nodiscard]] static Result<std::unique_ptr<Edges>> open();

    InstanceLock lock; // given back when nothing else is left
    EventLoop loop;
    CgroupWatch watch;
    CgroupFs tree;
    SwitchWatch offSwitch;
    PcapExpressions expressions = PcapExpressions();
    FilterIntake intake{expressions};
    CrashFiles crashes = CrashFiles();
    worker::CostFile costs = worker::CostFile();
    worker::Workshop workshop{loop, kOwnProgram, intake, crashes, costs, tellProgress};
    BpfKernel kernel{intake, workshop, tree};
    PinnedState state{BpfDirectories{}.pins / "state"};
    PinnedState lastConfiguration{BpfDirectories{}.pins / "configuration"};
    KeptFile keptConfiguration{"/var/lib/filterd/configuration"}; // over boots
    ConfigFiles files = ConfigFiles();
    ParameterFiles parameters = ParameterFiles();
    std::optional<PinWatch> links = {};
    std::optional<PinWatch> saved = {}; // where the state is
    HeldStart guard = {};

  private:
    [[nodiscard]] Status openKernel();
};

} // namespace filterd
