// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/event_loop.hpp"

#include "base/log.hpp"

#include <csignal>
#include <ctime>
#include <exception>
#include <string>
#include <sys/epoll.h>

namespace filterd {

class EventLoop::Source {
  public:
    explicit Source(Callback callback) : callback_(std::move(callback)) {}
    ~Source() { sd_event_source_disable_unref(source_); }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    // The loop's frames are the library's, written in C: no exception may pass through them.
    void call() const noexcept {
        try {
            callback_();
        } catch (const std::exception& error) {
            log::error(std::string("bug: exception in a callback of the event loop: ") + error.what());
        }
    }
    sd_event_source** slot() { return &source_; }
    sd_event_source* get() const { return source_; }

  private:
    Callback callback_;
    sd_event_source* source_ = nullptr;
};

namespace {

EventLoop::Source* sourceOf(void* userdata) { return static_cast<EventLoop::Source*>(userdata); }

} // namespace

Result<EventLoop> EventLoop::create() {
    sd_event* loop = nullptr;
    if (const int error = sd_event_new(&loop); error < 0)
        return failure(systemError("create the event loop", -error));
    return EventLoop(loop);
}

Result<EventLoop::Handle> EventLoop::onReadable(int fd, Callback callback) {
    auto source = std::make_shared<Source>(std::move(callback));
    const auto handler = [](sd_event_source*, int, std::uint32_t, void* userdata) {
        sourceOf(userdata)->call();
        return 0;
    };
    if (const int error = sd_event_add_io(get(), source->slot(), fd, EPOLLIN, handler, source.get());
        error < 0)
        return failure(systemError("watch a descriptor", -error));
    return source;
}

Result<EventLoop::Handle> EventLoop::onSignal(int signal, Callback callback) {
    auto source = std::make_shared<Source>(std::move(callback));
    const auto handler = [](sd_event_source*, const struct signalfd_siginfo*, void* userdata) {
        sourceOf(userdata)->call();
        return 0;
    };
    if (const int error = sd_event_add_signal(get(), source->slot(), signal, handler, source.get());
        error < 0)
        return failure(systemError("watch a signal", -error));
    return source;
}

Result<EventLoop::Handle> EventLoop::onTimer(Callback callback) {
    auto source = std::make_shared<Source>(std::move(callback));
    const auto handler = [](sd_event_source*, std::uint64_t, void* userdata) {
        sourceOf(userdata)->call();
        return 0;
    };
    constexpr std::uint64_t kNever = UINT64_MAX;
    constexpr std::uint64_t kDefaultAccuracy = 0;
    if (const int error = sd_event_add_time(get(), source->slot(), CLOCK_BOOTTIME, kNever, kDefaultAccuracy,
                                            handler, source.get());
        error < 0)
        return failure(systemError("make a timer", -error));
    return source;
}

Result<EventLoop::Handle> EventLoop::afterOthers(Callback callback) {
    auto source = std::make_shared<Source>(std::move(callback));
    const auto handler = [](sd_event_source*, void* userdata) {
        sourceOf(userdata)->call();
        return 0;
    };
    if (const int error = sd_event_add_post(get(), source->slot(), handler, source.get()); error < 0)
        return failure(systemError("follow the event loop", -error));
    return source;
}

Result<EventLoop::Handle> EventLoop::onReadableFirst(int fd, Callback callback) {
    auto source = onReadable(fd, std::move(callback));
    if (source)
        sd_event_source_set_priority((*source)->get(), SD_EVENT_PRIORITY_IMPORTANT);
    return source;
}

void EventLoop::rearm(const Handle& timer, std::chrono::milliseconds delay) {
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(delay).count();
    sd_event_source_set_time_relative(timer->get(), static_cast<std::uint64_t>(microseconds));
    sd_event_source_set_enabled(timer->get(), SD_EVENT_ONESHOT);
}

void EventLoop::keepWatchdogFed() { sd_event_set_watchdog(get(), 1); }

Status EventLoop::run() {
    if (const int error = sd_event_loop(get()); error < 0)
        return failure(systemError("run the event loop", -error));
    return {};
}

void EventLoop::stop() { sd_event_exit(get(), 0); }

Status blockSignals(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals)
        sigaddset(&set, signal);
    if (sigprocmask(SIG_BLOCK, &set, nullptr) < 0)
        return failure(systemError("block signals", errno));
    return {};
}

} // namespace filterd
