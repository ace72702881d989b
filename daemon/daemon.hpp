// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// filterd put together: edges that tell, the firewall that decides, the bus that shows. One loop, one thread.

#include "app/configurator.hpp"
#include "app/drop_desk.hpp"
#include "app/filter_settings.hpp"
#include "app/firewall.hpp"
#include "base/event_loop.hpp"
#include "edge/bpf/bpf_kernel.hpp"
#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/bpf/pinned_state.hpp"
#include "edge/guard/guard.hpp"
#include "edge/host/boot_switch.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "edge/host/cgroup_watch.hpp"
#include "edge/host/config_files.hpp"
#include "edge/host/instance_lock.hpp"
#include "edge/host/parameter_files.hpp"
#include "edge/host/pin_watch.hpp"
#include "edge/host/running_units.hpp"
#include "edge/host/switch_watch.hpp"
#include "edge/host/users.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "edge/systemd/systemd_follower.hpp"
#include "service/bus_service.hpp"
#include "state_teller.hpp"
#include "trial_timer.hpp"
#include "watched_intake.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace filterd {

class Daemon {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Daemon>> create();

    // First sync, READY, then the loop until SIGTERM. Filters stay in force when it returns.
    [[nodiscard]] Status run();

  private:
    Daemon(InstanceLock lock, EventLoop loop, CgroupFs tree, CgroupWatch watch, SwitchWatch power);

    Status start();
    Status listen();
    Status watchPins();
    Status openGuard();
    Status hearOfDrops();
    Status reload();
    [[nodiscard]] Configuration readFiles(const Configuration& last);
    void tellConfiguration();
    void tellWarnings();
    void reloadOnSignal();
    void followUnitFiles();
    void joinBus();
    std::shared_ptr<SystemdFollower> onJoined(sdbus::IConnection& connection);
    void onLost(const std::string& reason);
    void onCgroups();
    void onCgroup(const CgroupEvent& event);
    void onPower();
    void onDrops();
    void onPins();
    void onSaved();
    void followPins();
    void onUnitCgroup(const std::string& unit, const std::string& path);
    void rescan();
    void collectLater();
    void collect();

    InstanceLock lock_; // given back when nothing else is left
    EventLoop loop_;
    CgroupFs tree_;
    CgroupWatch watch_;
    SwitchWatch power_;
    PcapExpressions expressions_;
    FilterIntake intake_{expressions_};
    WatchedIntake watchedIntake_{intake_};
    BpfKernel kernel_;
    PinnedState state_{BpfDirectories{}.pins / "state"};
    PinnedState lastConfiguration_{BpfDirectories{}.pins / "configuration"};
    ConfigFiles files_;
    std::uint64_t filesReadAt_ = 0; // in microseconds of CLOCK_REALTIME
    ParameterFiles parameters_;
    FilterSettings settings_;
    BusService bus_;
    StateTeller teller_;
    Firewall firewall_;
    DropDesk drops_;
    TrialTimer trials_;
    Configurator configurator_;
    std::weak_ptr<SystemdFollower> systemd_; // the session on the bus owns it

    std::optional<PinWatch> pins_;
    std::optional<PinWatch> saved_; // where the state is

    std::vector<EventLoop::Handle> sources_;
    EventLoop::Handle joinTimer_;
    EventLoop::Handle collectTimer_;
    EventLoop::Handle dropTimer_;
    EventLoop::Handle warningsTimer_;
    std::chrono::milliseconds collectDelay_{};
};

} // namespace filterd
