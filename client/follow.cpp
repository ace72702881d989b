// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/follow.hpp"

#include "client/calls.hpp"
#include "client/listener.hpp"

namespace filterd::client {

namespace {

constexpr const char* kFromManager = "type='signal',sender='org.filterd1',path='/org/filterd1',member='";

using Kind = Event::Kind;

class Matches {
  public:
    Matches(sdbus::IConnection& connection, EventHandler handler)
        : connection_(connection), handler_(std::move(handler)) {}

    std::vector<sdbus::Slot> make() {
        onObject("InterfacesAdded", Kind::FilterAppeared, Kind::UnitAppeared);
        onObject("InterfacesRemoved", Kind::FilterVanished, Kind::UnitVanished);
        onManager("UnitAttached", [handler = handler_](sdbus::Message& message) {
            std::string unit;
            message >> unit;
            handler({Kind::UnitAttached, unit, {}});
        });
        onManager("UnitFailed", [handler = handler_](sdbus::Message& message) {
            std::string unit;
            std::string reason;
            message >> unit >> reason;
            handler({Kind::UnitFailed, unit, reason});
        });
        slots_.push_back(
            matchDaemon(connection_, [handler = handler_](const std::string& name, bool appeared) {
                handler({appeared ? Kind::DaemonAppeared : Kind::DaemonVanished, name, {}});
            }));
        return std::move(slots_);
    }

  private:
    void onManager(const char* member, std::function<void(sdbus::Message&)> handle) {
        slots_.push_back(match(connection_, std::string(kFromManager) + member + "'", std::move(handle)));
    }
    void onObject(const char* member, Kind filter, Kind unit) {
        onManager(member, [filter, unit, handler = handler_](sdbus::Message& message) {
            sdbus::ObjectPath path;
            message >> path;
            if (const auto name = bus::decodePath(bus::kFilterPrefix, path))
                handler({filter, *name, {}});
            else if (const auto other = bus::decodePath(bus::kUnitPrefix, path))
                handler({unit, *other, {}});
        });
    }

    sdbus::IConnection& connection_;
    EventHandler handler_;
    std::vector<sdbus::Slot> slots_;
};

} // namespace

std::vector<sdbus::Slot> matchEvents(sdbus::IConnection& connection, EventHandler handler) {
    return Matches(connection, std::move(handler)).make();
}

Result<void> Client::follow(const EventHandler& handler, int end) noexcept {
    return guarded([&] {
        static_cast<void>(wait(*session_, Calls::version())); // is there a daemon to follow?
        Listener listener(session_->connection());
        const auto slots = matchEvents(session_->connection(), handler);
        listener.runUntilReadable(end);
    });
}

} // namespace filterd::client
