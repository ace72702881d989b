// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "dbus/message_count.hpp"

#include <systemd/sd-bus.h>

#include <cstring>
#include <string_view>
#include <unordered_set>

namespace filterd::bus {

namespace {

// What a variant costs to read, in items.
constexpr std::size_t kVariant = 4;

// Counts until there is too much, and looks for keys that stand twice in a dictionary: a map of them would
// silently have one of the two. It stops where the library cannot go on.
class Walk {
  public:
    enum class Limits : std::uint8_t { OfUsers, None };
    Walk(sd_bus_message* message, Limits limits) : message_(message), limits_(limits) {
        walkAll();
        sd_bus_message_rewind(message_, 1);
    }

    [[nodiscard]] Arguments arguments() const {
        return isTooMuch_ ? Arguments::TooMuch : isStopped_ ? Arguments::Unreadable : Arguments::Fit;
    }
    // The first key that stands twice; empty if none does.
    [[nodiscard]] const std::string& twice() const { return twice_; }

  private:
    // All that is left in the container that is open.
    bool walkAll() {
        char type = 0;
        const char* contents = nullptr;
        int found = 0;
        while ((found = sd_bus_message_peek_type(message_, &type, &contents)) > 0)
            if (!walk(type, contents))
                return false;
        return found == 0 || stop();
    }

    bool walk(char type, const char* contents) {
        items_ += type == SD_BUS_TYPE_VARIANT ? kVariant : 1;
        if (isOver())
            return false;
        switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
            readText(type);
            return !isStopped_;
        case SD_BUS_TYPE_ARRAY:
            return walkArray(contents);
        case SD_BUS_TYPE_VARIANT:
        case SD_BUS_TYPE_STRUCT:
        case SD_BUS_TYPE_DICT_ENTRY:
            return walkContainer(type, contents);
        default:
            const char one[] = {type, '\0'};
            return sd_bus_message_skip(message_, one) >= 0 || stop();
        }
    }

    // It lives as long as the message.
    std::string_view readText(char type) {
        const char* text = nullptr;
        if (sd_bus_message_read_basic(message_, type, &text) < 0) {
            stop();
            return {};
        }
        text_ += std::strlen(text);
        if (isOver())
            stop();
        return text;
    }

    // Numbers are not read one by one.
    bool readNumbers(char type) {
        const void* numbers = nullptr;
        std::size_t size = 0;
        if (sd_bus_message_read_array(message_, type, &numbers, &size) < 0 || size % widthOf(type) != 0)
            return stop(); // the library does not mind half a number
        text_ += size;
        return !isOver();
    }

    static std::size_t widthOf(char type) {
        return type == 'y' ? 1 : type == 'n' || type == 'q' ? 2 : type == 'i' || type == 'u' ? 4 : 8;
    }

    static bool areNumbers(const char* contents) {
        return contents != nullptr && std::strlen(contents) == 1 &&
               std::strchr("ynqiuxtd", contents[0]) != nullptr;
    }

    bool walkArray(const char* contents) {
        if (areNumbers(contents))
            return readNumbers(contents[0]);
        const bool isDictionary = contents != nullptr && std::string_view(contents).starts_with("{s");
        return isDictionary ? walkDictionary(contents) : walkContainer(SD_BUS_TYPE_ARRAY, contents);
    }

    bool walkDictionary(const char* contents) {
        if (sd_bus_message_enter_container(message_, SD_BUS_TYPE_ARRAY, contents) < 0)
            return stop();
        std::unordered_set<std::string_view> keys;
        char type = 0;
        const char* entry = nullptr;
        int found = 0;
        while ((found = sd_bus_message_peek_type(message_, &type, &entry)) > 0) {
            if (sd_bus_message_enter_container(message_, SD_BUS_TYPE_DICT_ENTRY, entry) < 0)
                return stop();
            items_ += 2;
            const auto key = readText(SD_BUS_TYPE_STRING);
            if (isStopped_)
                return false;
            if (!keys.insert(key).second && twice_.empty())
                twice_ = key;
            if (!leaveAfterAll())
                return false;
        }
        return (found == 0 && sd_bus_message_exit_container(message_) >= 0) || stop();
    }

    bool walkContainer(char type, const char* contents) {
        if (sd_bus_message_enter_container(message_, type, contents) < 0)
            return stop();
        return leaveAfterAll();
    }

    bool leaveAfterAll() { return walkAll() && (sd_bus_message_exit_container(message_) >= 0 || stop()); }

    bool isOver() {
        isTooMuch_ = limits_ == Limits::OfUsers && (items_ > kMostItems || text_ > kMostText);
        return isTooMuch_;
    }

    bool stop() {
        isStopped_ = true;
        return false;
    }

    sd_bus_message* message_;
    Limits limits_;
    std::size_t items_ = 0;
    std::size_t text_ = 0;
    std::string twice_;
    bool isTooMuch_ = false;
    bool isStopped_ = false;
};

} // namespace

Arguments argumentsOf(sd_bus_message* message) { return Walk(message, Walk::Limits::OfUsers).arguments(); }

std::string keyGivenTwice(sd_bus_message* message) { return Walk(message, Walk::Limits::None).twice(); }

} // namespace filterd::bus
