// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A connection to the daemon: the manager on one bus connection. It stands between sdbus-c++ and
// the public header, and lets no exception out.

#include "dbus/bridge.hpp"

#include <filterd/filterd.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace filterd::client {

class Session {
  public:
    explicit Session(std::unique_ptr<sdbus::IConnection> connection);

    [[nodiscard]] sdbus::IConnection& connection() { return *connection_; }
    [[nodiscard]] sdbus::IProxy& manager() { return *manager_; }
    // Over ssh no descriptor arrives.
    void passNoFiles() { passesFiles_ = false; }
    [[nodiscard]] bool passesFiles() const { return passesFiles_; }
    void waitAtLeast(std::chrono::milliseconds timeout);

  private:
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> manager_;
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
