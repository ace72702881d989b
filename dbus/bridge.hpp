// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The one place that tells sdbus-c++ 1.2 (Debian 12) from 2.x (Debian 13), and what both need around their
// calls. Classes over generated glue are declared final: the generated bases have no virtual destructor.

#include "base/result.hpp"

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-event.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<sdbus-c++/VTableItems.h>)
#define FILTERD_SDBUS_VERSION 2
#else
#define FILTERD_SDBUS_VERSION 1
#endif

namespace filterd::bus {

// ---- Names: types of their own in 2.x, strings in 1.2 ---------------------------------------------------

using ObjectPath = sdbus::ObjectPath;
#if FILTERD_SDBUS_VERSION >= 2
using BusName = sdbus::BusName;
using InterfaceName = sdbus::InterfaceName;
using PropertyName = sdbus::PropertyName;
using MemberName = sdbus::MemberName;
using SignalName = sdbus::SignalName;
// First parameter of a callback given to uponReplyInvoke(); false when the call succeeded.
using AsyncError = std::optional<sdbus::Error>;
#else
using BusName = std::string;
using InterfaceName = std::string;
using PropertyName = std::string;
using MemberName = std::string;
using SignalName = std::string;
using AsyncError = const sdbus::Error*;
#endif

inline constexpr const char* kServiceName = "org.filterd1";
inline constexpr const char* kManagerPath = "/org/filterd1";
inline constexpr const char* kFilterPrefix = "/org/filterd1/filter";
inline constexpr const char* kUnitPrefix = "/org/filterd1/unit";

// PREFIX/NAME with the name escaped as in sd_bus_path_encode(3), and back (nullopt: not below the prefix).
[[nodiscard]] ObjectPath encodePath(const char* prefix, const std::string& name);
[[nodiscard]] std::optional<std::string> decodePath(const char* prefix, const std::string& path);

// ---- Connections ----------------------------------------------------------------------------------------

// The system bus, or the bus at an address. Blocks until the bus has said hello; throws sdbus::Error.
[[nodiscard]] std::unique_ptr<sdbus::IConnection> connect(const std::string& address = {});

// The system bus of another machine, reached by ssh: "[USER@]HOST[:PORT][/CONTAINER]", as systemctl -H has
// it.
[[nodiscard]] std::unique_ptr<sdbus::IConnection> connectToHost(const std::string& host);
// The system bus of a container on this machine, by the name that systemd-machined has for it. Root only.
[[nodiscard]] std::unique_ptr<sdbus::IConnection> connectToMachine(const std::string& machine);

// Whatever is called on the connection from now on allows the daemon to have the user asked for a password.
void allowInteraction(sdbus::IConnection& connection);

// For a loop of one's own: what to wait for before every processOne().
struct Wait {
    int fd;
    std::uint32_t events;
    std::uint64_t until; // on CLOCK_MONOTONIC, in microseconds; UINT64_MAX: no limit
};
[[nodiscard]] Wait nextWait(const sdbus::IConnection& connection);
// Handles a message that is there; false: there is none. Throws when the bus is lost.
bool processOne(sdbus::IConnection& connection);

// Handles a connection's messages in an sd-event loop while it lives. When the connection is lost it goes
// quiet and calls onLost once, from the loop, with the reason; onLost may destroy this object and then the
// connection.
class LoopAttachment {
  public:
    using LostHandler = std::function<void(const std::string& reason)>;

    LoopAttachment(sdbus::IConnection& connection, sd_event* loop, LostHandler onLost = {},
                   std::int64_t priority = SD_EVENT_PRIORITY_NORMAL);
    ~LoopAttachment();
    LoopAttachment(const LoopAttachment&) = delete;
    LoopAttachment& operator=(const LoopAttachment&) = delete;

  private:
    class Sources;
    std::shared_ptr<Sources> sources_;
};

// Matches live as long as the slot. Never free a slot inside its own callback.
[[nodiscard]] sdbus::Slot addMatch(sdbus::IConnection& connection, const std::string& rule,
                                   std::function<void(sdbus::Message&)> handler);

// org.freedesktop.DBus.ObjectManager at a path, for as long as the connection lives.
void addObjectManager(sdbus::IConnection& connection, const ObjectPath& path);

// ---- Proxies: always on a connection of the caller's; sdbus-c++ would open one of its own, and a thread ---

[[nodiscard]] std::unique_ptr<sdbus::IProxy> makeProxy(sdbus::IConnection& connection, const char* service,
                                                       const std::string& path);

// Ends the subscriptions made with uponSignal() on a hand-made proxy; does nothing in 2.x.
void finishRegistration(sdbus::IProxy& proxy);

// All properties of one interface in one call: they belong to one moment.
[[nodiscard]] std::map<std::string, sdbus::Variant> properties(sdbus::IProxy& proxy, const char* interface);

// A structure's fields for a structured binding, which 1.2's Struct does not support itself.
template<typename... Fields>
[[nodiscard]] const std::tuple<Fields...>& fields(const sdbus::Struct<Fields...>& structure) {
    return structure;
}

// ---- Objects --------------------------------------------------------------------------------------------

void emitPropertiesChanged(sdbus::IObject& object, const char* interface,
                           const std::vector<std::string>& properties);

// A signal to one connection alone, by its unique name.
template<typename... Args>
void emitTo(sdbus::IObject& object, const std::string& client, const char* interface, const char* name,
            const Args&... args) {
    auto signal = object.createSignal(InterfaceName(interface), SignalName(name));
    signal.setDestination(client);
    (signal << ... << args);
    object.emitSignal(signal);
}

// Returns who sent the message that the connection's handler is working on. Only inside a handler of this
// object.
[[nodiscard]] Result<std::string> callerName(const sdbus::IObject& object);

// Its effective user id as the bus knows it (I6), by one call to the bus. AccessDenied if that fails, which
// it does when the caller has left the bus.
[[nodiscard]] Result<uid_t> callerEuid(const sdbus::IObject& object);

// Returns whether it may be made to wait for a password (the message's flag).
[[nodiscard]] bool callerAllowsInteraction(const sdbus::IObject& object);

// ---- Errors ---------------------------------------------------------------------------------------------

// org.filterd1.Error.<code>; AccessDenied and InteractiveAuthorizationRequired are the bus's own,
// org.freedesktop.DBus.Error.<code>.
[[nodiscard]] std::string busErrorName(ErrorCode code);

[[nodiscard]] sdbus::Error makeError(const std::string& name, const std::string& message);
[[nodiscard]] sdbus::Error makeError(const Error& error);

// Text that a message can carry: what is no UTF-8 becomes '?'. Other text makes the bus library refuse the
// whole reply, and the caller waits for nothing.
[[nodiscard]] std::string printable(std::string text);

namespace detail {

template<typename T>
struct Answer {
    using type = T;
    static constexpr bool isResult = false;
};
template<typename T>
struct Answer<Result<T>> {
    using type = T;
    static constexpr bool isResult = true;
};

[[noreturn]] void throwError(const Error& error);
// Rethrows sdbus::Error as it is, any other exception in flight as Internal, and logs that.
[[noreturn]] void translateException();

} // namespace detail

// Every body of a method handler or property getter goes through answer(): a Result's error becomes the error
// reply, and no exception but sdbus::Error leaves, since sdbus-c++ 1.2 aborts the process on any other.
template<typename Body>
auto answer(Body&& body) -> typename detail::Answer<std::invoke_result_t<Body>>::type {
    using Outcome = detail::Answer<std::invoke_result_t<Body>>;
    try {
        if constexpr (Outcome::isResult) {
            auto result = std::forward<Body>(body)();
            if (!result)
                detail::throwError(result.error());
            if constexpr (!std::is_void_v<typename Outcome::type>)
                return std::move(*result);
        } else {
            return std::forward<Body>(body)();
        }
    } catch (...) {
        detail::translateException();
    }
}

// The same for callbacks that answer nobody (matches, signals, async replies): logs instead.
void contain(const char* what, const std::function<void()>& body) noexcept;

} // namespace filterd::bus
