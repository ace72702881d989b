// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/failure.hpp"

#include "cli/verb/password_agent.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace filterd::cli {

namespace {

constexpr std::array<std::string_view, 6> kUnreachable{client::kNoBus,
                                                       client::kNoDaemon,
                                                       "org.freedesktop.DBus.Error.NoReply",
                                                       "org.freedesktop.DBus.Error.Timeout",
                                                       "org.freedesktop.DBus.Error.TimedOut",
                                                       "org.freedesktop.DBus.Error.Disconnected"};

// Ways out that only this tool has a name for.
constexpr const char* kNoAnswer =
    "; see 'systemctl status filterd', then try again; 'filterctl off' works without it";

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kHints{{
    {client::kNoBus, "; 'filterctl off' and 'filterctl on' work without it"},
    {client::kNoDaemon, "; see 'systemctl status filterd', and 'filterctl off' works without it"},
    {"org.freedesktop.DBus.Error.NoReply", kNoAnswer},
    {"org.freedesktop.DBus.Error.Timeout", kNoAnswer},
    {"org.freedesktop.DBus.Error.TimedOut", kNoAnswer},
    {"org.freedesktop.DBus.Error.Disconnected", kNoAnswer},
    {client::errors::kFilterNameTaken, " (--replace)"},
    {client::errors::kNoSuchFilter, " ('filterctl list' shows what is loaded)"},
    {client::errors::kNoSuchUnitRule, " ('filterctl list rules' shows what is set)"},
}};

Destination& theDestination() {
    static Destination destination;
    return destination;
}

// Elsewhere there are other ways out than on this machine.
std::string hintElsewhere(const Destination& destination) {
    return destination.host.empty()
               ? "; see that it runs ('machinectl') and has a system bus, and call as root"
               : "; see that 'ssh " + destination.host + " systemd-stdio-bridge' works";
}

std::string hintFor(std::string_view name) {
    if (name == client::kNoBus && !theDestination().isHere())
        return hintElsewhere(theDestination());
    const auto* const found =
        std::find_if(kHints.begin(), kHints.end(), [&](const auto& hint) { return hint.first == name; });
    return std::string(found == kHints.end() ? std::string_view() : found->second);
}

client::Result<client::Client> connectTo(const Destination& destination) {
    if (!destination.host.empty())
        return client::Client::connectToHost(destination.host);
    return destination.machine.empty() ? client::Client::connect()
                                       : client::Client::connectToMachine(destination.machine);
}

} // namespace

void complain(const std::string& message) {
    std::fflush(stdout);
    std::fputs(("filterctl: " + message + "\n").c_str(), stderr);
}

Exit failed(const client::Error& error) {
    complain(error.message + hintFor(error.name));
    const bool unreachable =
        std::find(kUnreachable.begin(), kUnreachable.end(), error.name) != kUnreachable.end();
    return unreachable ? Exit::Unreachable : Exit::Failed;
}

Exit finished(const client::Result<void>& result) { return result ? Exit::Ok : failed(result.error()); }

Exit misused(const std::string& message) {
    complain(message);
    return Exit::Usage;
}

Exit noUnit(const std::string& name) {
    return misused("'" + name +
                   "' is not a unit name with its suffix (nginx.service, user@1000.service/app.service)");
}

void setDestination(const Destination& destination) { theDestination() = destination; }

bool isOfTheUnit(const client::Error& error) {
    return error.name == client::errors::kNoSuchUnit || error.name == client::errors::kUnsupported ||
           error.name == "org.freedesktop.DBus.Error.UnknownObject";
}

bool isAskedHere() { return theDestination().isHere(); }

Exit withDaemon(const std::function<Exit(client::Client&)>& body) {
    const auto& destination = theDestination();
    auto client = connectTo(destination);
    if (!client)
        return failed(client.error());
    if (!destination.asksForPassword || !destination.mayAsk)
        return body(*client);
    if (const auto allowed = client->allowInteraction(); !allowed)
        return failed(allowed.error());
    std::optional<PasswordAgent> agent; // on another machine it would be asked for nothing
    if (destination.isHere())
        agent.emplace();
    return body(*client);
}

} // namespace filterd::cli
