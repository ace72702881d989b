// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Follows systemd's signals and asks it which cgroup a unit has. A help to find units, never a barrier: the
// cgroup tree tells what exists, the guard what starts.

#include "dbus/bridge.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace filterd {

class SystemdUnits {
  public:
    // Called from the connection's loop. None may destroy this object.
    struct Callbacks {
        // Whether this unit's cgroup is of interest.
        std::function<bool(const std::string& unit)> wanted;
        // systemd has this cgroup for the unit, as a path below the cgroup root. Often tells what is known.
        std::function<void(const std::string& unit, const std::string& path)> unitCgroup;
        // systemd has read the unit files anew, by daemon-reload or daemon-reexec. May be empty.
        std::function<void()> reloaded;
    };

    // systemd need not be on the bus yet. Waits for the bus alone, never for systemd. Throws sdbus::Error.
    SystemdUnits(sdbus::IConnection& connection, Callbacks callbacks,
                 std::string busName = "org.freedesktop.systemd1");

    // Asks for the cgroup of every wanted unit again, as after a change of what is wanted.
    void refresh();

  private:
    void begin();
    void subscribe();
    void list();
    void onSignal(sdbus::Message& message);
    void onOwner(sdbus::Message& message);
    void tellReloaded();
    void want(const std::string& unit);
    void askNext();
    void ask(const std::string& unit);
    void answered(const std::string& unit, const sdbus::Variant* cgroup);

    sdbus::IConnection& connection_;
    const Callbacks callbacks_;
    const std::string busName_;
    std::unique_ptr<sdbus::IProxy> manager_;
    std::set<std::string> waiting_; // units to ask for
    std::map<std::string, std::unique_ptr<sdbus::IProxy>> asked_;
    std::unique_ptr<sdbus::IProxy> answered_; // outlives the callback of its own reply
    sdbus::Slot signals_;
    sdbus::Slot owner_;
};

} // namespace filterd
