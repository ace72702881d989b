// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "status_notifier.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>

namespace filterd {

namespace {

constexpr std::chrono::milliseconds kPause{100}; // a thousand units that start are not a thousand lines

} // namespace

Status StatusNotifier::listen() {
    auto timer = loop_.onTimer([this] {
        isWaiting_ = false;
        tell();
    });
    if (!timer)
        return failure(timer.error());
    timer_ = *timer;
    return {};
}

void StatusNotifier::setBroken(const std::vector<std::string>& errors) {
    broken_ = errors;
    changed();
}

void StatusNotifier::tellReady() {
    isReady_ = true;
    told_ = stateLine(stateOf(firewall_, broken_));
    sd_notifyf(0, "READY=1\nSTATUS=%s", told_.c_str());
}

void StatusNotifier::changed() {
    if (!isReady_ || isWaiting_)
        return;
    isWaiting_ = true;
    loop_.rearm(timer_, kPause);
}

void StatusNotifier::tell() {
    auto line = stateLine(stateOf(firewall_, broken_));
    if (line == told_)
        return;
    told_ = std::move(line);
    sd_notifyf(0, "STATUS=%s", told_.c_str());
}

void StatusNotifier::unitChanged(const UnitView& before, const UnitView& now) {
    if (before.state != now.state)
        changed();
}

} // namespace filterd
