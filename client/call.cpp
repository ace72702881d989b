// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/call.hpp"

namespace filterd::client {

std::unique_ptr<sdbus::IProxy> proxyOf(Session& session, const Target& target) {
    sdbus::ObjectPath path;
    session.manager()
        .callMethod(target.getter)
        .onInterface(kManagerInterface)
        .withArguments(target.name)
        .storeResultsTo(path);
    return bus::makeProxy(session.connection(), bus::kServiceName, path);
}

} // namespace filterd::client
