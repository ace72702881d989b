// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells when a unit is over. Its cgroup does not: a unit with RemainAfterExit= is active without one.

#include "dbus/bridge.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace filterd {

class UnitEndings {
  public:
    // Called from the connection's loop. None may destroy this object.
    struct Callbacks {
        // Whether it matters that this unit ends.
        std::function<bool(const std::string& unit)> awaited;
        // systemd says that the unit is not active.
        std::function<void(const std::string& unit)> ended;
    };

    // Hears of systemd's jobs only if somebody has subscribed on the same connection. Throws sdbus::Error.
    UnitEndings(sdbus::IConnection& connection, Callbacks callbacks,
                std::string busName = "org.freedesktop.systemd1");

    // Asks systemd whether the unit is over. Nothing is told while systemd does not answer.
    void check(const std::string& unit);

  private:
    void ask(const std::string& unit);
    void onJobRemoved(sdbus::Message& message);
    void answered(const std::string& unit, const sdbus::Variant* state);

    sdbus::IConnection& connection_;
    const Callbacks callbacks_;
    const std::string busName_;
    std::map<std::string, std::unique_ptr<sdbus::IProxy>> asked_;
    std::unique_ptr<sdbus::IProxy> answered_; // outlives the callback of its own reply
    sdbus::Slot jobs_;
};

} // namespace filterd
