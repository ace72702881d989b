// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/first_packets.hpp"

#include "cli/verb/failure.hpp"
#include "core/model/first_packets.hpp"
#include "edge/guard/pins/guard_btf.hpp"

namespace filterd::cli {

std::optional<std::string> firstPacketsWarning(const client::Status& status) {
    if (status.guard != "unsupported")
        return std::nullopt;
    return firstPacketsPass(status.guardReason);
}

Exit warnOfFirstPackets(const client::Client& client, Exit done) {
    if (done != Exit::Ok)
        return done;
    const auto status = client.status();
    if (!status)
        return failed(status.error());
    if (const auto warning = firstPacketsWarning(*status))
        complain("warning: " + *warning);
    return done;
}

std::optional<std::string> whatGuardLacks() {
    if (const auto client = client::Client::connect())
        if (const auto status = client->status())
            return status->guard == "unsupported" ? std::optional(status->guardReason) : std::nullopt;
    const auto described = kernelTypes();
    return described ? std::nullopt : std::optional(described.error().message);
}

} // namespace filterd::cli
