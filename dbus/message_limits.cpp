// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "dbus/message_limits.hpp"

#include "dbus/message_count.hpp"
#include "dbus/raw_bus.hpp"

#include <systemd/sd-bus.h>

namespace filterd::bus {

namespace {

struct Unref {
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
    void operator()(sd_bus_creds* creds) const { sd_bus_creds_unref(creds); }
};

bool isOfRoot(sd_bus_message* message) {
    sd_bus_creds* made = nullptr;
    if (sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &made) < 0)
        return false;
    const std::unique_ptr<sd_bus_creds, Unref> creds(made);
    uid_t uid = 0;
    return sd_bus_creds_get_euid(creds.get(), &uid) >= 0 && uid == 0;
}

} // namespace

class MessageLimits::Filter {
  public:
    explicit Filter(sdbus::IConnection& connection) {
        sd_bus_slot* slot = nullptr;
        if (const int error = sd_bus_add_filter(rawBus(connection), &slot, onMessage, nullptr); error < 0)
            throw sdbus::createError(-error, "look at messages");
        slot_.reset(slot);
    }

  private:
    // 1: nobody else needs to look at the message.
    static int onMessage(sd_bus_message* message, void*, sd_bus_error*) {
        if (sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0)
            return 0;
        const auto arguments = argumentsOf(message);
        if (arguments == Arguments::Fit || isOfRoot(message))
            return refuseTwice(message, keyGivenTwice(message));
        return refuse(message, arguments) < 0 ? 0 : 1;
    }

    static int refuse(sd_bus_message* message, Arguments arguments) {
        if (arguments == Arguments::Unreadable)
            return sd_bus_reply_method_errorf(message, busErrorName(ErrorCode::InvalidArgument).c_str(),
                                              "the call's arguments are not what its signature says");
        return sd_bus_reply_method_errorf(message, busErrorName(ErrorCode::LimitExceeded).c_str(),
                                          "the call has more arguments than filterd reads of a user: at most "
                                          "%zu values and %zu bytes of text; split it up, or call as root",
                                          kMostItems, kMostText);
    }

    static int refuseTwice(sd_bus_message* message, const std::string& key) {
        if (key.empty())
            return 0;
        return sd_bus_reply_method_errorf(message, busErrorName(ErrorCode::InvalidArgument).c_str(),
                                          "'%s' stands twice in a dictionary of the call, give it once",
                                          key.c_str()) < 0
                   ? 0
                   : 1;
    }

    std::unique_ptr<sd_bus_slot, Unref> slot_;
};

MessageLimits::MessageLimits(sdbus::IConnection& connection)
    : filter_(std::make_unique<Filter>(connection)) {}

MessageLimits::~MessageLimits() = default;

} // namespace filterd::bus
