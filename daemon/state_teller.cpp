// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "state_teller.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>

namespace filterd {

namespace {

constexpr std::chrono::milliseconds kPause{100}; // a thousand units that start are not a thousand lines

} // namespace

Status StateTeller::listen() {
    auto timer = loop_.onTimer([this] {
        isWaiting_ = false;
        tell();
    });
    if (!timer)
        return failure(timer.error());
    timer_ = *timer;
    return {};
}

void StateTeller::setBroken(const std::vector<std::string>& errors) {
    broken_ = errors;
    changed();
}

void StateTeller::tellReady() {
    isReady_ = true;
    told_ = stateLine(stateOf(firewall_, broken_));
    sd_notifyf(0, "READY=1\nSTATUS=%s", told_.c_str());
}

void StateTeller::changed() {
    if (!isReady_ || isWaiting_)
        return;
    isWaiting_ = true;
    loop_.rearm(timer_, kPause);
}

void StateTeller::tell() {
    auto line = stateLine(stateOf(firewall_, broken_));
    if (line == told_)
        return;
    told_ = std::move(line);
    sd_notifyf(0, "STATUS=%s", told_.c_str());
}

void StateTeller::unitChanged(const UnitView& before, const UnitView& now) {
    if (before.state != now.state)
        changed();
}

} // namespace filterd
