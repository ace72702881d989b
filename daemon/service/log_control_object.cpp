// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/log_control_object.hpp"

#include "base/log.hpp"

namespace filterd {

namespace {

constexpr const char* kPath = "/org/freedesktop/LogControl1";
constexpr const char* kInvalid = "org.freedesktop.DBus.Error.InvalidArgs";

} // namespace

LogControlObject::LogControlObject(sdbus::IConnection& connection, Authority& authority)
    : AdaptorInterfaces(connection, sdbus::ObjectPath(kPath)), authority_(authority) {
    registerAdaptor();
}

void LogControlObject::requireRoot() {
    bus::answer([this] { return authority_.requireRoot(getObject()); });
}

std::string LogControlObject::LogLevel() { return std::string(log::levelName()); }

void LogControlObject::LogLevel(const std::string& value) {
    requireRoot();
    if (!log::setLevel(value))
        throw bus::makeError(kInvalid, "there is no log level '" + value +
                                           "'; use emerg, alert, crit, err, warning, notice, info or debug");
}

std::string LogControlObject::LogTarget() { return std::string(log::targetName()); }

void LogControlObject::LogTarget(const std::string& value) {
    requireRoot();
    if (!log::setTarget(value))
        throw bus::makeError(kInvalid,
                             "filterd cannot log to '" + value + "'; use auto, journal, console or null");
}

std::string LogControlObject::SyslogIdentifier() { return "filterd"; }

} // namespace filterd
