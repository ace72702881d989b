// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Runs callbacks and handlers: the event loop's side of the bridge.

#include "base/log.hpp"
#include "dbus/bridge.hpp"

#include <chrono>
#include <limits>
#include <sys/epoll.h>

namespace filterd::bus {

#if FILTERD_SDBUS_VERSION >= 2
Wait nextWait(const sdbus::IConnection& connection) {
    const auto data = connection.getEventLoopPollData();
    const bool unlimited = data.timeout == std::chrono::microseconds::max() || data.timeout.count() < 0;
    return {data.fd, static_cast<std::uint32_t>(data.events),
            unlimited ? std::numeric_limits<std::uint64_t>::max()
                      : static_cast<std::uint64_t>(data.timeout.count())};
}
bool processOne(sdbus::IConnection& connection) { return connection.processPendingEvent(); }
#else
Wait nextWait(const sdbus::IConnection& connection) {
    const auto data = connection.getEventLoopPollData();
    return {data.fd, static_cast<std::uint32_t>(data.events), data.timeout_usec};
}
bool processOne(sdbus::IConnection& connection) { return connection.processPendingRequest(); }
#endif

// One implementation for both versions. 2.x has attachSdEventLoop(), but a lost connection throws through
// libsystemd's frames there, and nobody is told.
class LoopAttachment::Sources : public std::enable_shared_from_this<LoopAttachment::Sources> {
  public:
    Sources(sdbus::IConnection& connection, LostHandler onLost)
        : connection_(connection), onLost_(std::move(onLost)) {}
    Sources(const Sources&) = delete;
    Sources& operator=(const Sources&) = delete;
    ~Sources() { close(); }

    void open(sd_event* loop, std::int64_t priority);
    void close();

  private:
    // Then other sources get their turn: what happened while a message was worked on may be about the next
    // one.
    static constexpr int kMessagesPerTurn = 32;
    static constexpr std::chrono::milliseconds kTurn{5};

    static int onPrepare(sd_event_source*, void* self) {
        return static_cast<Sources*>(self)->guarded(&Sources::refresh);
    }
    static int onReadable(sd_event_source*, int, std::uint32_t, void* self) {
        return static_cast<Sources*>(self)->guarded(&Sources::process);
    }
    static int onTime(sd_event_source*, std::uint64_t, void* self) {
        return static_cast<Sources*>(self)->guarded(&Sources::process);
    }

    void refresh();
    void process();
    int guarded(void (Sources::*step)());
    void lose(const std::string& reason);

    sdbus::IConnection& connection_;
    LostHandler onLost_;
    sd_event_source* io_ = nullptr;
    sd_event_source* timer_ = nullptr;
};

void LoopAttachment::Sources::open(sd_event* loop, std::int64_t priority) {
    const Wait wait = nextWait(connection_);
    const auto check = [](int result) {
        if (result < 0)
            throw sdbus::createError(-result, "cannot attach the bus connection to the event loop");
    };
    check(sd_event_add_io(loop, &io_, wait.fd, wait.events, onReadable, this));
    check(sd_event_source_set_prepare(io_, onPrepare));
    check(sd_event_source_set_priority(io_, priority));
    check(sd_event_add_time(loop, &timer_, CLOCK_MONOTONIC, 0, 0, onTime, this));
    check(sd_event_source_set_priority(timer_, priority));
}

void LoopAttachment::Sources::close() {
    io_ = sd_event_source_disable_unref(io_);
    timer_ = sd_event_source_disable_unref(timer_);
}

// Before every poll: what to wait for now. Messages read during a blocking call elsewhere are waiting in the
// library, not in the socket; then the time is already over and the timer fires at once.
void LoopAttachment::Sources::refresh() {
    const Wait wait = nextWait(connection_);
    sd_event_source_set_io_events(io_, wait.events);
    const bool limited = wait.until != std::numeric_limits<std::uint64_t>::max();
    if (limited)
        sd_event_source_set_time(timer_, wait.until);
    sd_event_source_set_enabled(timer_, limited ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void LoopAttachment::Sources::process() {
    const auto end = std::chrono::steady_clock::now() + kTurn;
    for (int turn = 0;
         turn < kMessagesPerTurn && std::chrono::steady_clock::now() < end && io_ && processOne(connection_);)
        ++turn;
}

int LoopAttachment::Sources::guarded(void (Sources::*step)()) {
    const auto alive = shared_from_this(); // a handler may end the attachment
    try {
        if (io_)
            (this->*step)();
    } catch (const std::exception& error) {
        lose(error.what());
    } catch (...) {
        lose("unknown exception");
    }
    return 0;
}

void LoopAttachment::Sources::lose(const std::string& reason) {
    close();
    if (const LostHandler onLost = std::move(onLost_))
        contain("lost bus connection", [&] { onLost(reason); });
}

LoopAttachment::LoopAttachment(sdbus::IConnection& connection, sd_event* loop, LostHandler onLost,
                               std::int64_t priority)
    : sources_(std::make_shared<Sources>(connection, std::move(onLost))) {
    sources_->open(loop, priority);
}

LoopAttachment::~LoopAttachment() = default;

sdbus::Slot addMatch(sdbus::IConnection& connection, const std::string& rule,
                     std::function<void(sdbus::Message&)> handler) {
#if FILTERD_SDBUS_VERSION >= 2
    auto callback = [handler = std::move(handler)](sdbus::Message message) {
        contain("bus match", [&] { handler(message); });
    };
    return connection.addMatch(rule, std::move(callback), sdbus::return_slot);
#else
    auto callback = [handler = std::move(handler)](sdbus::Message& message) {
        contain("bus match", [&] { handler(message); });
    };
    return connection.addMatch(rule, std::move(callback));
#endif
}

namespace detail {

void translateException() {
    try {
        throw;
    } catch (const sdbus::Error&) {
        throw;
    } catch (const std::exception& error) {
        log::error(std::string("bug: exception in a bus call: ") + error.what());
        throwError({ErrorCode::Internal, std::string("internal error: ") + error.what()});
    } catch (...) {
        log::error("bug: unknown exception in a bus call");
        throwError({ErrorCode::Internal, "internal error"});
    }
}

} // namespace detail

void contain(const char* what, const std::function<void()>& body) noexcept {
    try {
        body();
    } catch (const std::exception& error) {
        log::error(std::string(what) + ": " + error.what());
    } catch (...) {
        log::error(std::string(what) + ": unknown exception");
    }
}

} // namespace filterd::bus
