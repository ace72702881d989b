// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A verb: what the command line chose, and how it ends.

#include <CLI/CLI.hpp>
#include <filterd/filterd.hpp>

#include <functional>
#include <string>

namespace filterd::cli {

// The exit status of filterctl. Its help and its manual document it: scripts rely on it.
enum class Exit : int {
    Ok = 0,
    Failed = 1,      // the daemon refused, or something on this machine failed
    Usage = 2,       // the command line makes no sense
    Unreachable = 3, // no bus, no daemon, or no answer
};

struct Invocation {
    bool json = false;
    std::function<Exit()> action; // set by the verb that was given
};

// For a count of what shall be done. CLI11 itself takes -1 for the largest number that there is.
[[nodiscard]] inline CLI::Validator aNumberFromOne() {
    const auto check = [](const std::string& text) {
        const bool isNumber = text.find_first_not_of("0123456789") == std::string::npos;
        return isNumber && text.find_first_not_of('0') != std::string::npos
                   ? std::string()
                   : "'" + text + "' is not a positive number";
    };
    return {check, "", "a positive number"};
}

// For a name whose absence means something: a script's empty variable is not meant so.
[[nodiscard]] inline CLI::Validator notEmpty() {
    const auto check = [](const std::string& text) {
        return text.empty() ? std::string("the name must not be empty") : std::string();
    };
    return {check, "", "a name"};
}

// Where the daemon is, and how it is asked: on this machine, unless another one is given.
struct Destination {
    std::string host;    // reached by ssh
    std::string machine; // a container
    bool asksForPassword = true;
    bool mayAsk = false; // the verb may need an authorization
    [[nodiscard]] bool isHere() const { return host.empty() && machine.empty(); }
};
void setDestination(const Destination& destination);
// Returns whether it is on this machine.
[[nodiscard]] bool isAskedHere();

// Connects to the daemon and does what body says with it.
[[nodiscard]] Exit withDaemon(const std::function<Exit(client::Client&)>& body);

} // namespace filterd::cli
