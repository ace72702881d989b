// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "live_bus.hpp"

#include "measure.hpp"

namespace filterd::bench {

namespace {

constexpr const char* kService = "org.filterd1";
constexpr const char* kPath = "/org/filterd1";
constexpr const char* kManager = "org.filterd1.Manager";
constexpr const char* kFilter = "org.filterd1.Filter";

void check(int result, sd_bus_error& error, const char* method) {
    if (result >= 0)
        return;
    fatal(Error{ErrorCode::Internal,
                std::string(method) + ": " + (error.message != nullptr ? error.message : "no answer")});
}

template<typename... Arguments>
void call(sd_bus* bus, const char* path, const char* interface, const char* method, const char* types,
          Arguments... arguments) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const int result =
        sd_bus_call_method(bus, kService, path, interface, method, &error, nullptr, types, arguments...);
    check(result, error, method);
}

} // namespace

Bus::Bus() {
    if (sd_bus_open_system(&bus_) < 0)
        fatal("the system bus");
}

void Bus::ping() const { call(bus_, kPath, "org.freedesktop.DBus.Peer", "Ping", ""); }

void Bus::loadFilter(const std::string& name, const std::string& object) const {
    call(bus_, kPath, kManager, "LoadFilterFromPath", "ssa{sv}", name.c_str(), object.c_str(), 0);
}

void Bus::acquireFilter(const std::string& name) const {
    call(bus_, kPath, kManager, "AcquireFilter", "s", name.c_str());
}

void Bus::releaseFilter(const std::string& name) const {
    call(bus_, kPath, kManager, "ReleaseFilter", "s", name.c_str());
}

std::string Bus::pathOf(const std::string& filter) const {
    return "/org/filterd1/filter/" + filter;
} // of letters alone

void Bus::setParameter(const std::string& filter, const std::string& parameter, std::uint32_t value) const {
    call(bus_, pathOf(filter).c_str(), kFilter, "SetParameter", "sva{sv}", parameter.c_str(), "u", value, 0);
}

void Bus::updateMap(const std::string& filter, const std::string& map, const std::string& key,
                    const std::string& value) const {
    call(bus_, pathOf(filter).c_str(), kFilter, "MapUpdate", "svv", map.c_str(), "s", key.c_str(), "s",
         value.c_str());
}

void Bus::reload() const { call(bus_, kPath, kManager, "Reload", ""); }

void Bus::listTraffic() const { call(bus_, kPath, kManager, "ListTraffic", ""); }

std::uint32_t Bus::unitCount() const {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    std::uint32_t count = 0;
    check(sd_bus_get_property_trivial(bus_, kService, kPath, kManager, "UnitCount", &error, 'u', &count),
          error, "UnitCount");
    return count;
}

std::string Bus::processId() const {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_creds* credentials = nullptr;
    check(sd_bus_get_name_creds(bus_, kService, SD_BUS_CREDS_PID, &credentials), error, "its process");
    pid_t pid = 0;
    check(sd_bus_creds_get_pid(credentials, &pid), error, "its process");
    sd_bus_creds_unref(credentials);
    return std::to_string(pid);
}

} // namespace filterd::bench
