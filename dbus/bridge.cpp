// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "dbus/bridge.hpp"

#include "base/text.hpp"
#include "dbus/raw_bus.hpp"

#include <systemd/sd-bus.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utf8cpp/utf8.h>

namespace filterd::bus {

// ---- Names ----------------------------------------------------------------------------------------------

namespace {

using CString = std::unique_ptr<char, decltype(&std::free)>;

} // namespace

ObjectPath encodePath(const char* prefix, const std::string& name) {
    char* path = nullptr;
    if (sd_bus_path_encode(prefix, name.c_str(), &path) < 0)
        throw std::bad_alloc();
    const CString owner(path, std::free);
    return ObjectPath(path);
}

std::optional<std::string> decodePath(const char* prefix, const std::string& path) {
    char* name = nullptr;
    if (sd_bus_path_decode(path.c_str(), prefix, &name) <= 0)
        return std::nullopt;
    const CString owner(name, std::free);
    return std::string(name);
}

// ---- Connections ----------------------------------------------------------------------------------------

std::unique_ptr<sdbus::IConnection> connect(const std::string& address) {
    return address.empty() ? sdbus::createSystemBusConnection()
                           : sdbus::createSessionBusConnectionWithAddress(address);
}

std::unique_ptr<sdbus::IConnection> connectToHost(const std::string& host) {
    return sdbus::createRemoteSystemBusConnection(host);
}

// sdbus-c++ has no call for it, but takes the address that sd_bus_open_system_machine(3) makes.
std::unique_ptr<sdbus::IConnection> connectToMachine(const std::string& machine) {
    const auto isPlain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-' || c == '_';
    };
    if (machine.empty() || !std::all_of(machine.begin(), machine.end(), isPlain))
        throw sdbus::createError(EINVAL, "'" + machine + "' is no name of a container");
    return sdbus::createSessionBusConnectionWithAddress("x-machine-unix:machine=" + machine);
}

void addObjectManager(sdbus::IConnection& connection, const ObjectPath& path) {
#if FILTERD_SDBUS_VERSION >= 2
    connection.addObjectManager(path);
#else
    connection.addObjectManager(path, sdbus::floating_slot);
#endif
}

// ---- Proxies --------------------------------------------------------------------------------------------

std::unique_ptr<sdbus::IProxy> makeProxy(sdbus::IConnection& connection, const char* service,
                                         const std::string& path) {
    return sdbus::createProxy(connection, BusName(service), ObjectPath(path));
}

void finishRegistration([[maybe_unused]] sdbus::IProxy& proxy) {
#if FILTERD_SDBUS_VERSION < 2
    proxy.finishRegistration();
#endif
}

std::map<std::string, sdbus::Variant> properties(sdbus::IProxy& proxy, const char* interface) {
    std::map<std::string, sdbus::Variant> result;
    proxy.callMethod("GetAll")
        .onInterface("org.freedesktop.DBus.Properties")
        .withArguments(std::string(interface))
        .storeResultsTo(result);
    return result;
}

// ---- Objects --------------------------------------------------------------------------------------------

void emitPropertiesChanged(sdbus::IObject& object, const char* interface,
                           const std::vector<std::string>& properties) {
    const std::vector<PropertyName> names(properties.begin(), properties.end());
    object.emitPropertiesChangedSignal(InterfaceName(interface), names);
}

namespace {

[[maybe_unused]] std::string textOf(const char* text) { return text ? text : ""; }
[[maybe_unused]] std::string textOf(std::string text) { return text; }

// Calls body with the message in work: a value in 2.x, a pointer in 1.2.
template<typename T>
Result<T> withMessage(const sdbus::IObject& object, Result<T> (*body)(const sdbus::Message&)) {
#if FILTERD_SDBUS_VERSION >= 2
    const sdbus::Message message = object.getCurrentlyProcessedMessage();
    if (message.isValid())
        return body(message);
#else
    if (const sdbus::Message* message = object.getCurrentlyProcessedMessage())
        return body(*message);
#endif
    return failure(ErrorCode::Internal, "no bus message is being handled");
}

} // namespace

Result<std::string> callerName(const sdbus::IObject& object) {
    return withMessage<std::string>(object, [](const sdbus::Message& message) -> Result<std::string> {
        const std::string name = textOf(message.getSender());
        if (name.empty())
            return failure(ErrorCode::AccessDenied, "the caller has no name on the bus");
        return name;
    });
}

Result<uid_t> callerEuid(const sdbus::IObject& object) {
    return withMessage<uid_t>(object, [](const sdbus::Message& message) -> Result<uid_t> {
        try {
            return message.getCredsEuid();
        } catch (const sdbus::Error& error) {
            return failure(ErrorCode::AccessDenied,
                           "the bus does not tell who the caller is: " + error.getMessage());
        }
    });
}

namespace {

// The bus library's own message, which sdbus-c++ does not show: a protected member, named through a class
// derived from it.
struct Opened : sdbus::Message {
    static sd_bus_message* of(const sdbus::Message& message) {
        return static_cast<sd_bus_message*>(message.*(&Opened::msg_));
    }
};

} // namespace

// Every message of the bus library knows its connection; sdbus-c++ itself does not give it away.
sd_bus* rawBus(sdbus::IConnection& connection) {
    const auto proxy = makeProxy(connection, kServiceName, kManagerPath);
    const auto call = proxy->createMethodCall(InterfaceName("org.freedesktop.DBus.Peer"), MemberName("Ping"));
    return sd_bus_message_get_bus(Opened::of(call));
}

void allowInteraction(sdbus::IConnection& connection) {
    if (const int error = sd_bus_set_allow_interactive_authorization(rawBus(connection), 1); error < 0)
        throw sdbus::createError(-error, "cannot allow interactive authorization");
}

bool callerAllowsInteraction(const sdbus::IObject& object) {
    const auto allows = withMessage<bool>(object, [](const sdbus::Message& message) -> Result<bool> {
        return sd_bus_message_get_allow_interactive_authorization(Opened::of(message)) > 0;
    });
    return allows && *allows;
}

// ---- Errors ---------------------------------------------------------------------------------------------

std::string busErrorName(ErrorCode code) {
    if (code == ErrorCode::AccessDenied || code == ErrorCode::InteractiveAuthorizationRequired)
        return "org.freedesktop.DBus.Error." + std::string(errorName(code));
    return "org.filterd1.Error." + std::string(errorName(code));
}

sdbus::Error makeError(const std::string& name, const std::string& message) {
#if FILTERD_SDBUS_VERSION >= 2
    return sdbus::Error(sdbus::Error::Name(name), printable(showable(message)));
#else
    return sdbus::Error(name, printable(showable(message)));
#endif
}

sdbus::Error makeError(const Error& error) { return makeError(busErrorName(error.code), error.message); }

std::string printable(std::string text) {
    std::replace(text.begin(), text.end(), '\0', '?');
    for (auto at = text.begin(); (at = utf8::find_invalid(at, text.end())) != text.end(); ++at)
        *at = '?';
    return text;
}

namespace detail {

void throwError(const Error& error) { throw makeError(error); }

} // namespace detail

} // namespace filterd::bus
