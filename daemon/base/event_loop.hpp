// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The daemon's one sd-event loop. Sources live as long as what add…() returns.

#include "base/result.hpp"

#include <systemd/sd-event.h>

#include <chrono>
#include <functional>
#include <memory>

namespace filterd {

class EventLoop {
  public:
    class Source; // removes itself when destroyed
    using Handle = std::shared_ptr<Source>;
    using Callback = std::function<void()>;

    [[nodiscard]] static Result<EventLoop> create();

    // A callback must not destroy its own source's handle.
    [[nodiscard]] Result<Handle> onReadable(int fd, Callback callback);
    // The same, and before others that are ready at the same time.
    [[nodiscard]] Result<Handle> onReadableFirst(int fd, Callback callback);
    // The signal must be blocked in the whole process; see blockSignals().
    [[nodiscard]] Result<Handle> onSignal(int signal, Callback callback);
    // Once, after the delay, in which the time of a suspend counts; rearm() starts it anew.
    [[nodiscard]] Result<Handle> onTimer(Callback callback);
    // Each time after other callbacks have run.
    [[nodiscard]] Result<Handle> afterOthers(Callback callback);
    void rearm(const Handle& timer, std::chrono::milliseconds delay);

    // Tells systemd's watchdog, if the unit has one, as long as the loop turns.
    void keepWatchdogFed();
    [[nodiscard]] Status run();
    void stop();
    [[nodiscard]] sd_event* get() const { return loop_.get(); }

  private:
    struct Unref {
        void operator()(sd_event* loop) const { sd_event_unref(loop); }
    };
    explicit EventLoop(sd_event* loop) : loop_(loop) {}

    std::unique_ptr<sd_event, Unref> loop_;
};

[[nodiscard]] Status blockSignals(std::initializer_list<int> signals);

} // namespace filterd
