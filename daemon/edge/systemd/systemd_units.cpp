// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/systemd/systemd_units.hpp"

#include "base/log.hpp"
#include "core/model/names.hpp"

#include <cstdint>
#include <vector>

namespace filterd {

namespace {

constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kUnitPrefix = "/org/freedesktop/systemd1/unit";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kAlreadySubscribed = "org.freedesktop.systemd1.AlreadySubscribed";

// A dbus-daemon may allow one client no more than 128 calls that wait for a reply.
constexpr std::size_t kMaxAsked = 32;

// name, description, load, active and sub state, following, path, job: id, type, path
using ListedUnit = sdbus::Struct<std::string, std::string, std::string, std::string, std::string, std::string,
                                 sdbus::ObjectPath, std::uint32_t, std::string, sdbus::ObjectPath>;

// "x.service" -> "org.freedesktop.systemd1.Service", where its ControlGroup is.
std::string interfaceOf(const std::string& unit) {
    std::string type = unit.substr(unit.rfind('.') + 1);
    type.front() = static_cast<char>(type.front() - 'a' + 'A');
    return "org.freedesktop.systemd1." + type;
}

} // namespace

SystemdUnits::SystemdUnits(sdbus::IConnection& connection, Callbacks callbacks, std::string busName)
    : connection_(connection), callbacks_(std::move(callbacks)), busName_(std::move(busName)),
      manager_(bus::makeProxy(connection, busName_.c_str(), kManagerPath)),
      signals_(bus::addMatch(connection,
                             "type='signal',sender='" + busName_ + "',path='" + kManagerPath +
                                 "',interface='" + kManager + "'",
                             [this](sdbus::Message& message) { onSignal(message); })),
      owner_(bus::addMatch(connection,
                           "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                           "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" +
                               busName_ + "'",
                           [this](sdbus::Message& message) { onOwner(message); })) {
    begin();
}

void SystemdUnits::refresh() {
    bus::contain("list systemd's units", [&] { list(); });
}

// systemd answers in order. The list before tells soon what runs, the one after what began meanwhile.
void SystemdUnits::begin() {
    list();
    subscribe();
    list();
}

void SystemdUnits::subscribe() {
    manager_->callMethodAsync("Subscribe").onInterface(kManager).uponReplyInvoke([](bus::AsyncError error) {
        bus::contain("subscribe to systemd", [&] {
            if (error && error->getName() != kAlreadySubscribed)
                log::warning("systemd does not announce its units: " + error->getMessage());
        });
    });
}

void SystemdUnits::list() {
    manager_->callMethodAsync("ListUnits")
        .onInterface(kManager)
        .uponReplyInvoke([this](bus::AsyncError error, const std::vector<ListedUnit>& units) {
            bus::contain("read systemd's list of units", [&] {
                if (error)
                    log::debug("systemd lists no units: " + error->getMessage());
                for (const auto& unit : units)
                    if (unit.get<3>() != "inactive" || unit.get<7>() != 0)
                        want(unit.get<0>());
            });
        });
}

// UnitNew makes us ask for nothing: to ask for a unit loads it, and that is told as UnitNew again. Whatever
// starts has a job.
void SystemdUnits::onSignal(sdbus::Message& message) {
    const std::string member = message.getMemberName();
    if (member == "JobNew" || member == "JobRemoved") {
        std::uint32_t id = 0;
        sdbus::ObjectPath job;
        std::string unit;
        message >> id >> job >> unit;
        want(unit);
    } else if (member == "UnitRemoved") {
        std::string unit;
        message >> unit;
        waiting_.erase(unit);
    } else if (member == "Reloading") {
        bool active = false;
        message >> active;
        if (active)
            return;
        list();
        tellReloaded();
    }
}

// daemon-reexec: systemd leaves the bus, comes back and may have forgotten us.
void SystemdUnits::onOwner(sdbus::Message& message) {
    std::string name, before, now;
    message >> name >> before >> now;
    waiting_.clear();
    asked_.clear();
    if (now.empty())
        return;
    begin();
    tellReloaded();
}

void SystemdUnits::tellReloaded() {
    if (callbacks_.reloaded)
        callbacks_.reloaded();
}

void SystemdUnits::want(const std::string& unit) {
    if (!isUnitName(unit) || !callbacks_.wanted(unit))
        return;
    waiting_.insert(unit);
    askNext();
}

// One question per unit at a time: a unit that changes while it is asked for is asked for again afterwards.
void SystemdUnits::askNext() {
    for (auto it = waiting_.begin(); it != waiting_.end() && asked_.size() < kMaxAsked;) {
        if (asked_.count(*it) > 0) {
            ++it;
            continue;
        }
        const auto unit = *it;
        it = waiting_.erase(it);
        ask(unit);
    }
}

void SystemdUnits::ask(const std::string& unit) {
    auto proxy = bus::makeProxy(connection_, busName_.c_str(), bus::encodePath(kUnitPrefix, unit));
    proxy->callMethodAsync("Get")
        .onInterface("org.freedesktop.DBus.Properties")
        .withArguments(interfaceOf(unit), std::string("ControlGroup"))
        .uponReplyInvoke([this, unit](bus::AsyncError error, const sdbus::Variant& cgroup) {
            bus::contain("read a unit's cgroup", [&] { answered(unit, error ? nullptr : &cgroup); });
        });
    asked_.emplace(unit, std::move(proxy));
}

void SystemdUnits::answered(const std::string& unit, const sdbus::Variant* cgroup) {
    if (const auto asked = asked_.find(unit); asked != asked_.end()) {
        answered_ = std::move(asked->second);
        asked_.erase(asked);
    }
    askNext();
    if (cgroup == nullptr)
        return;
    if (const auto path = cgroup->get<std::string>(); !path.empty())
        callbacks_.unitCgroup(unit, path);
}

} // namespace filterd
