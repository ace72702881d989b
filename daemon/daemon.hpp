// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// filterd put together: edges that tell, the firewall that decides, the bus that shows. One loop, one thread.

#include "app/configurator.hpp"
#include "app/drops/drop_monitor.hpp"
#include "app/filters/filter_settings.hpp"
#include "app/firewall.hpp"
#include "edge/host/running_units.hpp"
#include "edge/host/users.hpp"
#include "edge/systemd/systemd_follower.hpp"
#include "edges.hpp"
#include "service/bus_service.hpp"
#include "status_notifier.hpp"
#include "trial_timer.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace filterd {

class Daemon : private Observer {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Daemon>> create();

    // First sync, READY, then the loop until SIGTERM. Filters stay in force when it returns.
    [[nodiscard]] Status run();

  private:
    explicit Daemon(std::unique_ptr<Edges> edges);

    void filterLoaded(const FilterFacts& filter) override;
    void filterVanished(const FilterName& name) override;
    void rulesSet(const std::string& target) override;

    Status start();
    void loaded();
    void awaitLoads();
    void tellReady();
    Status listen();
    Status listenToKernel();
    Status reload();
    Status reloadAsked();
    [[nodiscard]] Configuration readFiles(const Configuration& last);
    [[nodiscard]] std::vector<std::string> warnings();
    void tellConfiguration();
    void tellWarnings();
    void reloadFor(const std::string& what);
    void reloadOnSignal();
    void followUnitFiles();
    void joinBus();
    std::shared_ptr<SystemdFollower> onJoined(sdbus::IConnection& connection);
    void onLost(const std::string& reason);
    void onCgroups();
    void onCgroup(const CgroupEvent& event);
    void onVanished(const std::optional<std::string>& holder);
    void onOffSwitch();
    void onDrops();
    void onPins();
    void onSaved();
    void followPins();
    void onUnitCgroup(const std::string& unit, const std::string& path);
    void inAttempts(const std::string& what, std::function<Status()> attempt);
    void rescan(const std::string& why);
    void collectLater();
    void collect();

    std::unique_ptr<Edges> edges_;
    Firewall firewall_;
    FilterSettings settings_;
    DropMonitor drops_;
    TrialTimer trials_;
    Configurator configurator_;
    BusService bus_;
    StatusNotifier teller_;
    std::weak_ptr<SystemdFollower> systemd_; // the session on the bus owns it
    std::uint64_t filesReadAt_ = 0;          // what is in force, in microseconds of CLOCK_REALTIME
    std::uint64_t readAt_ = 0;               // last, whether or not it is in force yet
    std::uint64_t startReadAt_ = 0;          // by the start
    std::uint64_t reloads_ = 0;              // that have ended
    bool isLoaded_ = false;                  // what the files say
    bool isRunning_ = false;                 // the bus is joined, if there is one
    bool isReady_ = false;
    bool isReloading_ = false; // or waits for what it needs
    bool reloadsAgain_ = false;

    std::vector<EventLoop::Handle> sources_;
    EventLoop::Handle joinTimer_;
    EventLoop::Handle collectTimer_;
    EventLoop::Handle dropTimer_;
    EventLoop::Handle warningsTimer_;
    EventLoop::Handle readyTimer_;
    std::chrono::milliseconds collectDelay_{};
};

} // namespace filterd
