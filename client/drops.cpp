// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Dropped packets, one by one and as they happen.

#include "client/drops.hpp"

#include "client/calls.hpp"
#include "client/listener.hpp"

namespace filterd::client {

namespace {

constexpr const char* kDropped =
    "type='signal',sender='org.filterd1',path='/org/filterd1',member='PacketDropped'";

using Details = std::map<std::string, sdbus::Variant>;

template<typename T>
T detail(const Details& details, const char* name) {
    const auto found = details.find(name);
    return found != details.end() && found->second.containsValueOfType<T>() ? found->second.get<T>() : T{};
}

Drop dropOf(sdbus::Message& message) {
    std::uint64_t time = 0;
    Drop drop;
    Details details;
    message >> time >> drop.unit >> drop.direction >> drop.filter >> details;
    drop.time = timeOf(time);
    drop.protocol = detail<std::string>(details, "protocol");
    drop.source = detail<std::string>(details, "source");
    drop.destination = detail<std::string>(details, "destination");
    drop.sourcePort = detail<std::uint16_t>(details, "source-port");
    drop.destinationPort = detail<std::uint16_t>(details, "destination-port");
    drop.length = detail<std::uint32_t>(details, "length");
    drop.interface = detail<std::uint32_t>(details, "interface");
    drop.controlGroupId = detail<std::uint64_t>(details, "cgroup");
    drop.logOnly = detail<bool>(details, "log-only");
    drop.headers = detail<std::vector<std::uint8_t>>(details, "headers");
    return drop;
}

// Follows drops on the connection for as long as it lives.
class FollowedDrops {
  public:
    FollowedDrops(Session& session, const std::string& unit) : session_(session), unit_(unit) { begin(); }
    FollowedDrops(const FollowedDrops&) = delete;
    FollowedDrops& operator=(const FollowedDrops&) = delete;
    ~FollowedDrops() {
        try {
            wait(session_, Calls::unfollowDrops(unit_));
        } catch (const sdbus::Error&) { // NOLINT(bugprone-empty-catch): the daemon or the bus has gone
        }
    }

    void begin() { wait(session_, Calls::followDrops(unit_)); }

  private:
    Session& session_;
    const std::string& unit_;
};

} // namespace

sdbus::Slot matchDrops(sdbus::IConnection& connection, DropHandler handler) {
    return match(connection, kDropped,
                 [handler = std::move(handler)](sdbus::Message& message) { handler(dropOf(message)); });
}

Result<void> Client::followDrops(const std::string& unit, const DropHandler& handler, int end) noexcept {
    return guarded([&] {
        Listener listener(session_->connection());
        const auto dropped = matchDrops(session_->connection(), handler);
        FollowedDrops followed(*session_, unit);
        listener.onDaemon([&](const std::string&, bool appeared) {
            if (appeared)
                listener.defer([&] { followed.begin(); });
        });
        listener.runUntilReadable(end);
    });
}

} // namespace filterd::client
