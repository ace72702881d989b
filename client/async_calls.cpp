// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/async_calls.hpp"

#include "client/drops.hpp"
#include "client/follow.hpp"
#include "client/listener.hpp"

#include <iterator>

namespace filterd::client {

namespace {

const Callback<void> kUntold = [](const Result<void>&) {};

} // namespace

AsyncCalls::Target& AsyncCalls::targetAt(const std::string& path) {
    auto& target = targets_[path];
    if (!target.proxy)
        target.proxy = bus::makeProxy(connection(), bus::kServiceName, path);
    return target;
}

void AsyncCalls::begin(Followed& followed) {
    end(followed);
    followed.wanted = std::make_shared<bool>(true);
}

void AsyncCalls::end(Followed& followed) {
    *followed.wanted = false;
    std::move(followed.matches.begin(), followed.matches.end(), std::back_inserter(retired_));
    followed.matches.clear();
}

void AsyncCalls::follow(EventHandler handler) {
    end(events_);
    if (!handler)
        return;
    begin(events_);
    events_.matches = matchEvents(
        connection(), [wanted = events_.wanted, handler = std::move(handler)](const Event& event) {
            if (*wanted)
                handler(event);
        });
}

void AsyncCalls::followDrops(const std::string& unit, DropHandler handler, const Callback<void>& done) {
    if (*drops_.wanted)
        unfollowDrops(kUntold);
    begin(drops_);
    unitOfDrops_ = unit;
    drops_.matches.push_back(
        matchDrops(connection(), [wanted = drops_.wanted, handler = std::move(handler)](const Drop& drop) {
            if (*wanted)
                handler(drop);
        }));
    drops_.matches.push_back(
        matchDaemon(connection(), [this, unit, wanted = drops_.wanted](const std::string&, bool appeared) {
            if (*wanted && appeared)
                start(Calls::followDrops(unit), kUntold);
        }));
    const auto begun = [this, wanted = drops_.wanted, done](Result<void> allowed) {
        if (!allowed && *wanted)
            end(drops_);
        done(std::move(allowed));
    };
    start(Calls::followDrops(unit), Callback<void>(begun));
}

void AsyncCalls::unfollowDrops(const Callback<void>& done) {
    if (!*drops_.wanted)
        return refuse(done, {bus::busErrorName(ErrorCode::NoSuchEntry), "no drops are followed"});
    end(drops_);
    start(Calls::unfollowDrops(unitOfDrops_), done);
}

// The connection lives on: the daemon shall not go on to tell it.
AsyncCalls::~AsyncCalls() {
    if (*drops_.wanted)
        unfollowDrops(kUntold);
}

void AsyncCalls::process() {
    constexpr int kMessagesPerTurn = 32;
    for (const auto& work : std::exchange(later_, {}))
        work();
    try {
        for (int turn = 0; turn < kMessagesPerTurn && bus::processOne(connection());)
            ++turn;
    } catch (const sdbus::Error& error) {
        throw bus::makeError(std::string(kNoBus), "lost the bus: " + error.getMessage());
    }
    retired_.clear();
    std::erase_if(targets_, [](const auto& entry) { return entry.second.pending == 0; });
}

} // namespace filterd::client
