// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// filterd on the bus: joins it when it is there, publishes what changes, and notices clients that leave.

#include "app/firewall.hpp"
#include "base/event_loop.hpp"
#include "dbus/managed_objects.hpp"
#include "dbus/message_limits.hpp"
#include "service/authority.hpp"
#include "service/filter_object.hpp"
#include "service/log_control_object.hpp"
#include "service/manager_object.hpp"
#include "service/unit_object.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace filterd {

class BusService final : public Observer {
  public:
    // The parts of the daemon that the objects on the bus show and change.
    struct Served {
        Firewall& firewall;
        FilterSettings& settings;
        const DropMonitor& drops;
        SlowCalls& slow;
    };
    struct Callbacks {
        std::function<Status()> reload;
        std::function<void()> trialsChanged; // a queue was set on the bus
        // The name is owned, the objects are there. What is returned is whatever else lives on this
        // connection: the session keeps it, nobody else may, and it ends before the connection does.
        std::function<std::shared_ptr<void>(sdbus::IConnection&)> joined;
        std::function<void(const std::string& reason)> lost; // the session and its connection are gone
        // Returns the warnings of configuration and rules, as of now.
        std::function<std::vector<std::string>()> warnings = [] { return std::vector<std::string>(); };
    };

    BusService(EventLoop& loop, Served served, Callbacks callbacks)
        : loop_(loop), served_(served), callbacks_(std::move(callbacks)) {}

    // Takes the bus name. An error means that there is no bus yet, or that somebody else has the name.
    [[nodiscard]] Status join();
    [[nodiscard]] bool joined() const { return session_ != nullptr; }
    // Shows what is broken in the files, and when they were read, in microseconds of CLOCK_REALTIME.
    void setConfiguration(std::vector<std::string> errors, std::uint64_t readAt);
    void warningsChanged();

    void filterAppeared(const FilterName& name) override;
    void filterChanged(const FilterName& name) override;
    void filterVanished(const FilterName& name) override;
    void unitAppeared(const UnitView& unit) override;
    void unitChanged(const UnitView& before, const UnitView& now) override;
    void unitVanished(const std::string& name) override;
    void countsChanged() override;
    void packetDropped(const Drop& drop) override;

  private:
    // A connection and its place in the loop.
    struct Link {
        std::unique_ptr<sdbus::IConnection> connection;
        std::unique_ptr<bus::LoopAttachment> attachment;
    };
    // Holds what exists only while there is a bus. Slots, proxies and objects that outlive their connection
    // use freed memory when they end. The connection is a base's: no member can outlive it, whatever their
    // order.
    struct Session : Link {
        explicit Session(SlowCalls& slow) : authority(slow) {}
        Authority authority; // its open questions die with the session
        std::unique_ptr<LogControlObject> logControl;
        DropFollowers followers;
        std::unique_ptr<ManagerObject> manager;
        std::map<FilterName, std::unique_ptr<FilterObject>> filters;
        std::map<std::string, std::unique_ptr<UnitObject>> units;
        sdbus::Slot clientsLeaving;
        std::unique_ptr<bus::MessageLimits> limits;
        std::unique_ptr<bus::ManagedObjects> managedObjects;
        std::shared_ptr<void> guest; // what the daemon has on the connection
    };

    void open();
    void lose(const std::string& reason);
    void watchClients();
    void publishEverything();
    void tellClients();
    void tellState(const UnitView& unit);

    EventLoop& loop_;
    Served served_;
    Callbacks callbacks_;
    std::vector<std::string> configurationErrors_;
    std::uint64_t configurationTime_ = 0;
    std::unique_ptr<Session> session_;
};

} // namespace filterd
