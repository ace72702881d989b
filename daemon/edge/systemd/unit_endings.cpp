// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/systemd/unit_endings.hpp"

#include "base/log.hpp"

#include <cstdint>

namespace filterd {

namespace {

constexpr const char* kPathOfUnits = "/org/freedesktop/systemd1/unit";
constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";

// A unit that waits for its restart is over, too: the next run acquires what it needs anew.
bool isActive(const std::string& state) {
    return state == "active" || state == "reloading" || state == "refreshing";
}

} // namespace

UnitEndings::UnitEndings(sdbus::IConnection& connection, Callbacks callbacks, std::string busName)
    : connection_(connection), callbacks_(std::move(callbacks)), busName_(std::move(busName)),
      jobs_(bus::addMatch(connection,
                          "type='signal',sender='" + busName_ +
                              "',path='/org/freedesktop/systemd1',"
                              "interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
                          [this](sdbus::Message& message) { onJobRemoved(message); })) {}

void UnitEndings::onJobRemoved(sdbus::Message& message) {
    std::uint32_t id = 0;
    sdbus::ObjectPath job;
    std::string unit;
    message >> id >> job >> unit;
    if (callbacks_.awaited(unit))
        check(unit);
}

// The connection may be at its end, which its loop has yet to notice. Then there is no answer either.
void UnitEndings::check(const std::string& unit) {
    try {
        ask(unit);
    } catch (const sdbus::Error& error) {
        log::debug("ask whether " + unit + " is over: " + error.getMessage());
    }
}

void UnitEndings::ask(const std::string& unit) {
    auto proxy = bus::makeProxy(connection_, busName_.c_str(), bus::encodePath(kPathOfUnits, unit));
    proxy->callMethodAsync("Get")
        .onInterface("org.freedesktop.DBus.Properties")
        .withArguments(std::string(kUnit), std::string("ActiveState"))
        .uponReplyInvoke([this, unit](bus::AsyncError error, const sdbus::Variant& state) {
            bus::contain("read a unit's state", [&] { answered(unit, error ? nullptr : &state); });
        });
    asked_.insert_or_assign(unit, std::move(proxy)); // a question before this one is void
}

void UnitEndings::answered(const std::string& unit, const sdbus::Variant* state) {
    if (const auto asked = asked_.find(unit); asked != asked_.end()) {
        answered_ = std::move(asked->second);
        asked_.erase(asked);
    }
    if (state != nullptr && !isActive(state->get<std::string>()))
        callbacks_.ended(unit);
}

} // namespace filterd
