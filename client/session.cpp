// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/session.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>

namespace filterd::client {

namespace {

// How the bus says that nobody owns the name and that starting the owner failed.
constexpr std::array<std::string_view, 5> kAbsent{
    "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.systemd1.UnitMasked",
    "org.freedesktop.systemd1.LoadFailed"};
constexpr std::string_view kSpawnFailed = "org.freedesktop.DBus.Error.Spawn.";

bool tellsOfNoDaemon(std::string_view name) {
    return std::find(kAbsent.begin(), kAbsent.end(), name) != kAbsent.end() ||
           name.substr(0, kSpawnFailed.size()) == kSpawnFailed;
}

// How the bus, or the library, says that an answer did not come.
constexpr std::array<std::string_view, 4> kUnanswered{
    "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Timeout",
    "org.freedesktop.DBus.Error.TimedOut", "org.freedesktop.DBus.Error.Disconnected"};

bool tellsOfNoAnswer(std::string_view name) {
    return std::find(kUnanswered.begin(), kUnanswered.end(), name) != kUnanswered.end();
}

} // namespace

Session::Session(std::unique_ptr<sdbus::IConnection> connection)
    : connection_(std::move(connection)),
      manager_(bus::makeProxy(*connection_, bus::kServiceName, bus::kManagerPath)) {}

void Session::waitAtLeast(std::chrono::milliseconds timeout) {
    using std::chrono::microseconds;
    if (connection_->getMethodCallTimeout() < static_cast<std::uint64_t>(microseconds(timeout).count()))
        connection_->setMethodCallTimeout(timeout);
}

std::shared_ptr<Session> openSession(const std::string& bus, std::chrono::milliseconds timeout,
                                     const std::function<std::unique_ptr<sdbus::IConnection>()>& connect) {
    try {
        auto connection = connect();
        connection->setMethodCallTimeout(timeout);
        return std::make_shared<Session>(std::move(connection));
    } catch (const sdbus::Error& error) {
        throw bus::makeError(std::string(kNoBus), "cannot connect to " + bus + ": " + error.getMessage());
    }
}

Error errorOf(const sdbus::Error& error) {
    const std::string& name = error.getName();
    if (tellsOfNoDaemon(name))
        return {std::string(kNoDaemon), "the filterd daemon does not answer: " + error.getMessage()};
    if (tellsOfNoAnswer(name))
        return {name, "filterd has not answered (" + error.getMessage() +
                          "): whether it did what was asked is not known"};
    return {name, error.getMessage()};
}

Error currentError() {
    try {
        throw;
    } catch (const sdbus::Error& error) {
        return errorOf(error);
    } catch (const std::exception& error) {
        return {bus::busErrorName(ErrorCode::Internal), error.what()};
    } catch (...) {
        return {bus::busErrorName(ErrorCode::Internal), "unknown exception"};
    }
}

} // namespace filterd::client
