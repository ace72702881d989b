// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once

#include "dbus/bridge.hpp"

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <cstdarg>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace filterd::test {

inline constexpr const char* kName = "org.freedesktop.systemd1";
inline constexpr const char* kPath = "/org/freedesktop/systemd1";
inline constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

// Answers as systemd does, with the units it was told of, and notes what it was asked.
class FakeSystemd {
  public:
    struct Unit {
        std::string activeState = "active";
        std::string cgroup;
    };

    FakeSystemd(const std::string& address, sd_event* loop) {
        check(sd_bus_new(&bus_));
        check(sd_bus_set_address(bus_, address.c_str()));
        check(sd_bus_set_bus_client(bus_, 1));
        check(sd_bus_start(bus_));
        check(sd_bus_attach_event(bus_, loop, SD_EVENT_PRIORITY_NORMAL));
        check(sd_bus_add_fallback(bus_, nullptr, kPath, onCall, this));
        check(sd_bus_request_name(bus_, kName, 0));
    }
    FakeSystemd(const FakeSystemd&) = delete;
    FakeSystemd& operator=(const FakeSystemd&) = delete;
    ~FakeSystemd() { sd_bus_flush_close_unref(bus_); }

    void emit(const char* member, const char* types, ...) {
        sd_bus_message* message = nullptr;
        check(sd_bus_message_new_signal(bus_, &message, kPath, kManager, member));
        va_list values;
        va_start(values, types);
        check(sd_bus_message_appendv(message, types, values));
        va_end(values);
        check(sd_bus_send(bus_, message, nullptr));
        sd_bus_message_unref(message);
    }
    void emitJob(const char* member, const std::string& unit) {
        if (std::string(member) == "JobNew")
            emit(member, "uos", 7U, "/org/freedesktop/systemd1/job/7", unit.c_str());
        else
            emit(member, "uoss", 7U, "/org/freedesktop/systemd1/job/7", unit.c_str(), "done");
    }
    void releaseName() { check(sd_bus_release_name(bus_, kName)); }
    void requestName() { check(sd_bus_request_name(bus_, kName, 0)); }

    // Replies to what was asked while `holding`.
    void answerHeld() {
        holding = false;
        for (auto* message : std::exchange(held_, {})) {
            answer(message);
            sd_bus_message_unref(message);
        }
    }
    [[nodiscard]] std::size_t held() const { return held_.size(); }

    std::map<std::string, Unit> units;
    std::vector<std::string> calls; // "ListUnits", "Subscribe", "Service nginx.service"
    bool holding = false;
    bool alreadySubscribed = false;
    bool echoesUnitNew = false; // as for a unit that was not loaded

  private:
    static void check(int result) { ASSERT_GE(result, 0) << std::strerror(-result); }

    static int onCall(sd_bus_message* message, void* self, sd_bus_error*) {
        return static_cast<FakeSystemd*>(self)->call(message);
    }

    int call(sd_bus_message* message) {
        const std::string member = sd_bus_message_get_member(message);
        if (member == "ListUnits")
            return list(message);
        if (member == "Subscribe")
            return subscribe(message);
        if (member != "Get")
            return 0;
        if (!holding)
            return answer(message);
        held_.push_back(sd_bus_message_ref(message));
        return 1;
    }

    int subscribe(sd_bus_message* message) {
        calls.emplace_back("Subscribe");
        if (alreadySubscribed)
            return sd_bus_reply_method_errorf(message, "org.freedesktop.systemd1.AlreadySubscribed", "again");
        return sd_bus_reply_method_return(message, "");
    }

    int list(sd_bus_message* message) {
        calls.emplace_back("ListUnits");
        sd_bus_message* reply = nullptr;
        check(sd_bus_message_new_method_return(message, &reply));
        check(sd_bus_message_open_container(reply, 'a', "(ssssssouso)"));
        for (const auto& [name, unit] : units)
            check(sd_bus_message_append(reply, "(ssssssouso)", name.c_str(), "text", "loaded",
                                        unit.activeState.c_str(), "sub", "", "/", 0U, "", "/"));
        check(sd_bus_message_close_container(reply));
        check(sd_bus_send(bus_, reply, nullptr));
        sd_bus_message_unref(reply);
        return 1;
    }

    int answer(sd_bus_message* message) {
        const char *interface = nullptr, *property = nullptr;
        check(sd_bus_message_read(message, "ss", &interface, &property));
        const auto unit = bus::decodePath("/org/freedesktop/systemd1/unit", sd_bus_message_get_path(message));
        const std::string type = interface;
        calls.push_back(type.substr(type.rfind('.') + 1) + " " + unit.value_or("?"));
        if (echoesUnitNew)
            emit("UnitNew", "so", unit->c_str(), sd_bus_message_get_path(message));
        const auto found = units.find(*unit);
        if (std::string(property) == "ActiveState") // systemd answers for a unit that it has not loaded, too
            return sd_bus_reply_method_return(
                message, "v", "s", found == units.end() ? "inactive" : found->second.activeState.c_str());
        if (std::string(property) != "ControlGroup" || found == units.end())
            return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_UNKNOWN_OBJECT, "no unit");
        return sd_bus_reply_method_return(message, "v", "s", found->second.cgroup.c_str());
    }

    sd_bus* bus_ = nullptr;
    std::vector<sd_bus_message*> held_;
};

} // namespace filterd::test
