// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "dbus/message_count.hpp"

#include <systemd/sd-bus.h>

#include <cstring>

namespace filterd::bus {

namespace {

// What a variant costs to read, in items.
constexpr std::size_t kVariant = 4;

// Counts until there is too much. It stops where the library cannot go on: that is no call of ours.
class Count {
  public:
    explicit Count(sd_bus_message* message) : message_(message) {}

    [[nodiscard]] bool fits() {
        const bool all = countAll();
        sd_bus_message_rewind(message_, 1);
        return all;
    }

  private:
    // All that is left in the container that is open.
    bool countAll() {
        char type = 0;
        const char* contents = nullptr;
        while (sd_bus_message_peek_type(message_, &type, &contents) > 0)
            if (!count(type, contents))
                return false;
        return true;
    }

    bool count(char type, const char* contents) {
        items_ += type == SD_BUS_TYPE_VARIANT ? kVariant : 1;
        if (items_ > kMostItems || text_ > kMostText)
            return false;
        switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
            return countText(type);
        case SD_BUS_TYPE_ARRAY:
        case SD_BUS_TYPE_VARIANT:
        case SD_BUS_TYPE_STRUCT:
        case SD_BUS_TYPE_DICT_ENTRY:
            return countContainer(type, contents);
        default:
            const char one[] = {type, '\0'};
            return sd_bus_message_skip(message_, one) >= 0 || stop();
        }
    }

    bool countText(char type) {
        const char* text = nullptr;
        if (sd_bus_message_read_basic(message_, type, &text) < 0)
            return stop();
        text_ += std::strlen(text);
        return text_ <= kMostText;
    }

    // Numbers are not read one by one.
    bool countNumbers(char type) {
        const void* numbers = nullptr;
        std::size_t size = 0;
        if (sd_bus_message_read_array(message_, type, &numbers, &size) < 0)
            return stop();
        text_ += size;
        return text_ <= kMostText;
    }

    static bool areNumbers(const char* contents) {
        return contents != nullptr && std::strlen(contents) == 1 &&
               std::strchr("ynqiuxtd", contents[0]) != nullptr;
    }

    bool countContainer(char type, const char* contents) {
        if (type == SD_BUS_TYPE_ARRAY && areNumbers(contents))
            return countNumbers(contents[0]);
        if (sd_bus_message_enter_container(message_, type, contents) < 0)
            return stop();
        return countAll() && (isStopped_ || sd_bus_message_exit_container(message_) >= 0 || stop());
    }

    bool stop() {
        isStopped_ = true;
        return false;
    }

    sd_bus_message* message_;
    std::size_t items_ = 0;
    std::size_t text_ = 0;
    bool isStopped_ = false;
};

} // namespace

bool fitsLimits(sd_bus_message* message) { return Count(message).fits(); }

} // namespace filterd::bus
