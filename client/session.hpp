// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A connection to the daemon: the generated proxies on one bus connection. It stands between sdbus-c++ and
// the public header, and lets no exception out.

#include "dbus/bridge.hpp"
#include "glue/Filter_proxy.hpp"
#include "glue/Manager_proxy.hpp"
#include "glue/Unit_proxy.hpp"

#include <filterd/filterd.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace filterd::client {

// Never registered: it takes part in no signal, and so installs no matches on the bus.
class ManagerProxy final : public sdbus::ProxyInterfaces<org::filterd1::Manager_proxy> {
  public:
    explicit ManagerProxy(sdbus::IConnection& connection)
        : ProxyInterfaces(connection, bus::BusName(bus::kServiceName), bus::ObjectPath(bus::kManagerPath)) {}
    sdbus::IProxy& proxy() { return getProxy(); }

  private:
    void onUnitAttached(const std::string&, const sdbus::ObjectPath&) override {}
    void onUnitFailed(const std::string&, const std::string&) override {}
    void onPacketDropped(const std::uint64_t&, const std::string&, const std::string&, const std::string&,
                         const std::map<std::string, sdbus::Variant>&) override {}
};

class UnitProxy final : public sdbus::ProxyInterfaces<org::filterd1::Unit_proxy> {
  public:
    UnitProxy(sdbus::IConnection& connection, const std::string& path)
        : ProxyInterfaces(connection, bus::BusName(bus::kServiceName), bus::ObjectPath(path)) {}
};

class FilterProxy final : public sdbus::ProxyInterfaces<org::filterd1::Filter_proxy> {
  public:
    FilterProxy(sdbus::IConnection& connection, const std::string& path)
        : ProxyInterfaces(connection, bus::BusName(bus::kServiceName), bus::ObjectPath(path)) {}
};

class Session {
  public:
    explicit Session(std::unique_ptr<sdbus::IConnection> connection);

    [[nodiscard]] sdbus::IConnection& connection() { return *connection_; }
    [[nodiscard]] ManagerProxy& manager() { return manager_; }
    // Over ssh no descriptor arrives.
    void passNoFiles() { passesFiles_ = false; }
    [[nodiscard]] bool passesFiles() const { return passesFiles_; }
    void waitAtLeast(std::chrono::milliseconds timeout);

  private:
    std::unique_ptr<sdbus::IConnection> connection_;
    ManagerProxy manager_;
    bool passesFiles_ = true;
};

// Connects by `connect`; what goes wrong is kNoBus, and tells of `bus`.
[[nodiscard]] std::shared_ptr<Session>
openSession(const std::string& bus, std::chrono::milliseconds timeout,
            const std::function<std::unique_ptr<sdbus::IConnection>()>& connect);

[[nodiscard]] Error errorOf(const sdbus::Error& error);
// The exception in flight, as an error.
[[nodiscard]] Error currentError();

// Calls body and turns what it throws into an error: the border that no exception crosses.
template<typename Body>
Result<std::invoke_result_t<Body>> guarded(Body&& body) noexcept {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
            std::forward<Body>(body)();
            return {};
        } else {
            return std::forward<Body>(body)();
        }
    } catch (...) {
        return tl::unexpected<Error>(currentError());
    }
}

} // namespace filterd::client
