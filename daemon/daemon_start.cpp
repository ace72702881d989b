// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The daemon's start, from what it listens to until it is ready.

#include "base/log.hpp"
#include "daemon.hpp"

#include <systemd/sd-daemon.h>

#include <csignal>
#include <utility>

namespace filterd {

namespace {

// Units that wait for filterd wait no longer for files that take long: theirs are held.
constexpr std::chrono::milliseconds kMostPatience{20'000};

// Adds the source, or passes its error on.
Status keep(std::vector<EventLoop::Handle>& sources, Result<EventLoop::Handle> source) {
    if (!source)
        return failure(source.error());
    sources.push_back(std::move(*source));
    return {};
}

} // namespace

Status Daemon::run() {
    if (auto started = start(); !started)
        return started;
    joinBus();
    isRunning_ = true;
    if (isLoaded_)
        tellReady();
    else
        awaitLoads();
    auto done = edges_->loop.run();
    sd_notify(0, "STOPPING=1");
    log::info("stopping; filters stay in force");
    return done;
}

Status Daemon::start() {
    if (auto listening = listen(); !listening)
        return listening;
    if (auto listening = listenToKernel(); !listening)
        return listening;
    if (auto started =
            configurator_.start(edges_->offSwitch.enforcing(), edges_->workshop, [this] { loaded(); });
        !started)
        return started;
    startReadAt_ = readAt_;
    trials_.look(); // a deadline may have passed meanwhile
    collectLater(); // what a run before this one left
    return {};
}

void Daemon::loaded() {
    isLoaded_ = true;
    if (reloads_ == 0)
        filesReadAt_ = startReadAt_ > 0 ? startReadAt_ : readAt_; // all may be there while it starts
    tellConfiguration();
    if (isRunning_)
        tellReady();
}

void Daemon::awaitLoads() {
    tellProgress();
    edges_->loop.rearm(readyTimer_, kMostPatience);
}

void Daemon::tellReady() {
    if (std::exchange(isReady_, true))
        return;
    teller_.tellReady();
    log::info("ready: " + std::to_string(firewall_.filters().all().size()) + " filters, " +
              std::to_string(firewall_.units().all().size()) + " guarded units" +
              (isLoaded_ ? "" : "; filters are still being loaded"));
}

Status Daemon::listen() {
    if (auto listening = trials_.listen(); !listening)
        return listening;
    if (auto listening = teller_.listen(); !listening)
        return listening;
    auto joinTimer = edges_->loop.onTimer([this] { joinBus(); });
    auto collectTimer = edges_->loop.onTimer([this] { collect(); });
    auto dropTimer = edges_->loop.onTimer([this] { onDrops(); });
    auto warningsTimer = edges_->loop.onTimer([this] { tellWarnings(); });
    auto readyTimer = edges_->loop.onTimer([this] { tellReady(); });
    for (const auto* timer : {&joinTimer, &collectTimer, &dropTimer, &warningsTimer, &readyTimer})
        if (!*timer)
            return failure(timer->error());
    joinTimer_ = *joinTimer;
    collectTimer_ = *collectTimer;
    dropTimer_ = *dropTimer;
    warningsTimer_ = *warningsTimer;
    readyTimer_ = *readyTimer;
    // A call that comes after 'filterctl off' has returned is answered by a daemon that knows of it.
    for (auto& source : {edges_->loop.onReadableFirst(edges_->offSwitch.fd(), [this] { onOffSwitch(); }),
                         edges_->loop.onReadable(edges_->watch.fd(), [this] { onCgroups(); }),
                         edges_->loop.afterOthers([this] { firewall_.saveAgain(); }),
                         edges_->loop.onSignal(SIGTERM, [this] { edges_->loop.stop(); }),
                         edges_->loop.onSignal(SIGINT, [this] { edges_->loop.stop(); }),
                         edges_->loop.onSignal(SIGHUP, [this] { reloadOnSignal(); })})
        if (auto kept = keep(sources_, source); !kept)
            return kept;
    return {};
}

// Where there is no guard, or nothing reports drops, there is nothing to listen to.
Status Daemon::listenToKernel() {
    for (auto& source : {edges_->loop.onReadable(edges_->links->fd(), [this] { onPins(); }),
                         edges_->loop.onReadable(edges_->saved->fd(), [this] { onSaved(); })})
        if (auto kept = keep(sources_, source); !kept)
            return kept;
    if (const auto* guard = firewall_.inForce().reconciler().guard().port())
        for (auto& source :
             {edges_->loop.onReadable(guard->eventsFd(), [this] { firewall_.handleGuardEvents(); }),
              edges_->loop.onReadable(guard->graceFd(), [this] { firewall_.graceFinished(); })})
            if (auto kept = keep(sources_, source); !kept)
                return kept;
    const int reports = edges_->kernel.dropReports().fd();
    return reports < 0 ? Status() : keep(sources_, edges_->loop.onReadable(reports, [this] { onDrops(); }));
}

} // namespace filterd
