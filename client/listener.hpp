// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Waits for signals on one connection, in an event loop of its own.

#include "client/session.hpp"

#include <systemd/sd-event.h>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace filterd::client {

// For as long as the slot lives.
[[nodiscard]] sdbus::Slot match(sdbus::IConnection& connection, const std::string& rule,
                                std::function<void(sdbus::Message&)> handle);
// The daemon has appeared on the bus, or left it; its name is told.
[[nodiscard]] sdbus::Slot matchDaemon(sdbus::IConnection& connection,
                                      std::function<void(const std::string& name, bool appeared)> handle);

class Listener {
  public:
    explicit Listener(sdbus::IConnection& connection);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // The daemon has appeared on the bus, or left it; its name is told.
    void onDaemon(std::function<void(const std::string& name, bool appeared)> handle);
    // Outside of every handler, as soon as possible: there calls on the connection are allowed. An error ends
    // the listening, and is thrown by runUntilReadable().
    void defer(std::function<void()> work);

    // Until the descriptor is readable (-1: never), or the bus is lost, which is the error kNoBus.
    void runUntilReadable(int end);

  private:
    struct Unref {
        void operator()(sd_event* loop) const { sd_event_unref(loop); }
        void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
    };

    void stop(const std::string& reason);
    void runDeferred();

    sdbus::IConnection& connection_;
    std::unique_ptr<sd_event, Unref> loop_;
    std::unique_ptr<bus::LoopAttachment> attachment_;
    std::unique_ptr<sd_event_source, Unref> deferred_;
    std::function<void()> work_;
    std::vector<sdbus::Slot> slots_;
    std::string lost_;
    std::exception_ptr failed_;
};

} // namespace filterd::client
