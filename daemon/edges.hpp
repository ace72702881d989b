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
#include "edge/host/instance_lock.hpp"
#include "edge/host/parameter_files.hpp"
#include "edge/host/pin_watch.hpp"
#include "edge/host/switch_watch.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "watched_intake.hpp"

#include <memory>
#include <optional>

namespace filterd {

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
    WatchedIntake watchedIntake{intake};
    BpfKernel kernel{watchedIntake, tree};
    PinnedState state{BpfDirectories{}.pins / "state"};
    PinnedState lastConfiguration{BpfDirectories{}.pins / "configuration"};
    ConfigFiles files = ConfigFiles();
    ParameterFiles parameters = ParameterFiles();
    std::optional<PinWatch> links = {};
    std::optional<PinWatch> saved = {}; // where the state is
    HeldStart guard = {};

  private:
    [[nodiscard]] Status openKernel();
};

} // namespace filterd
