// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/in_force.hpp"

#include "base/kernel_command_line.hpp"
#include "cli/verb/failure.hpp"

namespace filterd::cli {

std::string whyOff() {
    return isAskedHere() && isBootedOff() ? " (filterd=off on the kernel command line)" : "";
}

void warnIfOff(const client::Status& status) {
    if (!status.enforcing)
        complain("warning: filterd is switched off" + whyOff() +
                 ": nothing is in force until 'filterctl on'");
}

Exit withDaemonToSet(const std::function<Exit(client::Client&)>& body) {
    return withDaemon([&](client::Client& client) {
        const auto exit = body(client);
        if (exit != Exit::Ok)
            return exit;
        if (const auto status = client.status()) // without an answer there is nothing to be told
            warnIfOff(*status);
        return exit;
    });
}

} // namespace filterd::cli
