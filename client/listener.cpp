// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/listener.hpp"

#include <sys/epoll.h>

namespace filterd::client {

namespace {

constexpr const char* kOwner = "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                               "member='NameOwnerChanged',arg0='org.filterd1'";

void check(int result, const char* what) {
    if (result < 0)
        throw sdbus::createError(-result, what);
}

} // namespace

sdbus::Slot match(sdbus::IConnection& connection, const std::string& rule,
                  std::function<void(sdbus::Message&)> handle) {
    return bus::addMatch(connection, rule, [handle = std::move(handle)](sdbus::Message& message) {
        bus::contain("a signal of filterd", [&] { handle(message); });
    });
}

sdbus::Slot matchDaemon(sdbus::IConnection& connection,
                        std::function<void(const std::string& name, bool appeared)> handle) {
    return match(connection, kOwner, [handle = std::move(handle)](sdbus::Message& message) {
        std::string name;
        std::string before;
        std::string now;
        message >> name >> before >> now;
        handle(name, !now.empty());
    });
}

Listener::Listener(sdbus::IConnection& connection) : connection_(connection) {
    sd_event* loop = nullptr;
    check(sd_event_new(&loop), "cannot make an event loop");
    loop_.reset(loop);
    attachment_ = std::make_unique<bus::LoopAttachment>(connection, loop,
                                                        [this](const std::string& reason) { stop(reason); });
    sd_event_source* deferred = nullptr;
    const auto run = [](sd_event_source*, void* self) {
        static_cast<Listener*>(self)->runDeferred();
        return 0;
    };
    check(sd_event_add_defer(loop, &deferred, run, this), "cannot make an event source");
    deferred_.reset(deferred);
    check(sd_event_source_set_enabled(deferred, SD_EVENT_OFF), "cannot make an event source");
}

Listener::~Listener() = default;

void Listener::stop(const std::string& reason) {
    lost_ = reason;
    sd_event_exit(loop_.get(), 0);
}

void Listener::onDaemon(std::function<void(const std::string& name, bool appeared)> handle) {
    slots_.push_back(matchDaemon(connection_, std::move(handle)));
}

void Listener::defer(std::function<void()> work) {
    work_ = std::move(work);
    sd_event_source_set_enabled(deferred_.get(), SD_EVENT_ONESHOT);
}

void Listener::runDeferred() {
    try {
        work_();
    } catch (...) {
        failed_ = std::current_exception();
        sd_event_exit(loop_.get(), 0);
    }
}

void Listener::runUntilReadable(int end) {
    sd_event_source* source = nullptr;
    const auto onReadable = [](sd_event_source* readable, int, std::uint32_t, void*) {
        return sd_event_exit(sd_event_source_get_event(readable), 0);
    };
    if (end >= 0)
        check(sd_event_add_io(loop_.get(), &source, end, EPOLLIN, onReadable, nullptr),
              "cannot watch the descriptor that ends it");
    const std::unique_ptr<sd_event_source, Unref> owner(source);
    sd_event_loop(loop_.get());
    if (failed_)
        std::rethrow_exception(failed_);
    if (!lost_.empty())
        throw bus::makeError(std::string(kNoBus), "lost the bus: " + lost_);
}

} // namespace filterd::client
