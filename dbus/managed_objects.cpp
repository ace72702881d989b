// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "dbus/managed_objects.hpp"

#include "dbus/raw_bus.hpp"

#include <systemd/sd-bus.h>

#include <ctime>
#include <deque>

namespace filterd::bus {

namespace {

constexpr const char* kInterface = "org.freedesktop.DBus.ObjectManager";
constexpr const char* kMember = "GetManagedObjects";
constexpr std::size_t kMostWaiting = 4096; // far more than the bus lets one connection have

struct Unref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
    void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;
using RawSlot = std::unique_ptr<sd_bus_slot, Unref>;
using Source = std::unique_ptr<sd_event_source, Unref>;

void check(int result, const char* what) {
    if (result < 0)
        throw sdbus::createError(-result, what);
}

} // namespace

// Keeps who waits for the next answer, and who is yet to be handed the last one. The library itself makes an
// answer when the daemon asks itself.
class ManagedObjects::ReplyCoalescer {
  public:
    ReplyCoalescer(sdbus::IConnection& connection, sd_event* loop, const ObjectPath& path)
        : bus_(rawBus(connection)), path_(path) {
        const char* name = nullptr;
        check(sd_bus_get_unique_name(bus_, &name), "ask for the own name on the bus");
        self_ = name;
        sd_event_source* source = nullptr;
        // A moment that has passed, not a deferred source: that one is served before all that wait.
        check(sd_event_add_time(loop, &source, CLOCK_MONOTONIC, 0, 1, onTurn, this),
              "attach to the event loop");
        turn_.reset(source);
        check(sd_event_source_set_enabled(source, SD_EVENT_OFF), "attach to the event loop");
        check(sd_event_add_post(loop, &source, onOthers, this), "attach to the event loop");
        others_.reset(source);
        sd_bus_slot* slot = nullptr;
        check(sd_bus_add_filter(bus_, &slot, onMessage, this), "look at messages");
        filter_.reset(slot);
    }
    ReplyCoalescer(const ReplyCoalescer&) = delete;
    ReplyCoalescer& operator=(const ReplyCoalescer&) = delete;
    ~ReplyCoalescer() = default;

  private:
    static int onMessage(sd_bus_message* message, void* coalescer, sd_bus_error*) {
        return static_cast<ReplyCoalescer*>(coalescer)->take(message);
    }
    static int onAnswer(sd_bus_message* answer, void* coalescer, sd_bus_error*) {
        static_cast<ReplyCoalescer*>(coalescer)->distribute(answer);
        return 1;
    }
    static int onTurn(sd_event_source*, std::uint64_t, void* coalescer) {
        static_cast<ReplyCoalescer*>(coalescer)->handOutOne();
        return 0;
    }

    // After whatever else has happened, such as the sending of what waited.
    static int onOthers(sd_event_source*, void* coalescer) {
        static_cast<ReplyCoalescer*>(coalescer)->goOn();
        return 0;
    }

    // 1: nobody else needs to look at the message.
    int take(sd_bus_message* message) {
        const char* path = sd_bus_message_get_path(message);
        const char* sender = sd_bus_message_get_sender(message);
        if (sd_bus_message_is_method_call(message, kInterface, kMember) <= 0 || path == nullptr ||
            path_ != path || sender == nullptr)
            return 0;
        if (self_ == sender) {
            asked_ = waiting_.size(); // the answer is made now: it is up to date for all of them
            return 0;
        }
        if (waiting_.size() >= kMostWaiting)
            return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                              "%zu others wait for an answer already; ask again later",
                                              waiting_.size()) < 0
                       ? 0
                       : 1;
        waiting_.emplace_back(sd_bus_message_ref(message));
        ask();
        return 1;
    }

    // One answer at a time is made and handed out.
    void ask() {
        if (answer_ || asking_ || waiting_.empty())
            return;
        sd_bus_slot* slot = nullptr;
        if (sd_bus_call_method_async(bus_, &slot, self_.c_str(), path_.c_str(), kInterface, kMember, onAnswer,
                                     this, nullptr) >= 0)
            asking_.reset(slot);
        else
            waiting_.clear(); // the connection is at its end
    }

    void distribute(sd_bus_message* answer) {
        answer_.reset(sd_bus_message_ref(answer));
        goOn();
    }

    void goOn() {
        if (answer_ && isAllSent())
            sd_event_source_set_enabled(turn_.get(), SD_EVENT_ONESHOT); // behind what waits already
    }

    // Answers to others would have to wait behind ours.
    [[nodiscard]] bool isAllSent() const {
        std::uint64_t queued = 0;
        return sd_bus_get_n_queued_write(bus_, &queued) < 0 || queued == 0;
    }

    void handOutOne() {
        asking_.reset(); // not within its own callback
        if (!isAllSent())
            return; // goOn() is called when it is
        if (asked_ > 0) {
            reply(waiting_.front().get());
            waiting_.pop_front();
            --asked_;
        }
        if (asked_ > 0)
            return goOn();
        answer_.reset();
        ask();
    }

    void reply(sd_bus_message* call) {
        if (const auto* error = sd_bus_message_get_error(answer_.get())) {
            sd_bus_reply_method_error(call, error);
            return;
        }
        sd_bus_message* made = nullptr;
        if (sd_bus_message_new_method_return(call, &made) < 0)
            return;
        const Message reply(made);
        if (sd_bus_message_rewind(answer_.get(), 1) >= 0 && sd_bus_message_copy(made, answer_.get(), 1) >= 0)
            sd_bus_send(bus_, made, nullptr);
        else
            sd_bus_reply_method_errorf(call, SD_BUS_ERROR_NO_MEMORY, "not enough memory for the answer");
    }

    sd_bus* bus_;
    std::string path_;
    std::string self_;
    std::deque<Message> waiting_; // to the first `asked_` the answer tells the present
    std::size_t asked_ = 0;
    Message answer_;
    RawSlot asking_;
    RawSlot filter_;
    Source turn_;
    Source others_;
};

ManagedObjects::ManagedObjects(sdbus::IConnection& connection, sd_event* loop, const ObjectPath& path)
    : coalescer_(std::make_unique<ReplyCoalescer>(connection, loop, path)) {}

ManagedObjects::~ManagedObjects() = default;

} // namespace filterd::bus
