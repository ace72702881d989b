// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Calls that are under way on one connection, and their answers.

#include "client/calls.hpp"

#include <filterd/async.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace filterd::client {

class AsyncCalls {
  public:
    explicit AsyncCalls(std::shared_ptr<Session> session) : session_(std::move(session)) {}
    ~AsyncCalls();
    AsyncCalls(const AsyncCalls&) = delete;
    AsyncCalls& operator=(const AsyncCalls&) = delete;

    [[nodiscard]] const std::shared_ptr<Session>& session() const { return session_; }
    [[nodiscard]] sdbus::IConnection& connection() const { return session_->connection(); }

    // Makes the call; its answer comes later.
    template<typename... Out, typename Convert, typename... In, typename T>
    void start(const Call<Answer<Out...>, Convert, In...>& call, const Callback<T>& done) {
        const auto send = [this, call, done](const std::string& path) {
            std::apply(
                [&](const In&... in) {
                    ask<Out...>(path, call.interface, call.member, done, call.convert, in...);
                },
                call.arguments);
        };
        if (call.target.getter == nullptr)
            return send(bus::kManagerPath);
        const auto found = [send, done](Result<std::string> path) {
            if (path)
                send(*path);
            else
                done(tl::unexpected(path.error()));
        };
        ask<sdbus::ObjectPath>(
            bus::kManagerPath, kManagerInterface, call.target.getter, Callback<std::string>(found),
            [](const sdbus::ObjectPath& path) -> std::string { return path; }, call.target.name);
    }
    // An error that is known before anything is sent: told by the next process().
    template<typename T>
    void refuse(Callback<T> done, Error error) {
        later_.push_back(
            [done = std::move(done), error = std::move(error)] { deliver<T>(done, tl::unexpected(error)); });
    }

    void follow(EventHandler handler);
    void followDrops(const std::string& unit, DropHandler handler, const Callback<void>& done);
    void unfollowDrops(const Callback<void>& done);
    [[nodiscard]] bool hasWork() const { return !later_.empty(); }
    void process();

  private:
    // A proxy, and how many of its calls are not answered yet.
    struct Target {
        std::unique_ptr<sdbus::IProxy> proxy;
        std::size_t pending = 0;
    };

    // Signals whose handler is told as long as it is wanted.
    struct Followed {
        std::shared_ptr<bool> wanted = std::make_shared<bool>(false);
        std::vector<sdbus::Slot> matches;
    };

    // Sends a call whose answer has values of the types Out, and is turned by `convert` into what the
    // callback gets.
    template<typename... Out, typename T, typename Convert, typename... In>
    void ask(const std::string& path, const char* interface, const char* member, Callback<T> done,
             Convert convert, const In&... in) {
        try {
            auto& target = targetAt(path);
            target.proxy->callMethodAsync(member).onInterface(interface).withArguments(in...).uponReplyInvoke(
                [&target, done, convert](bus::AsyncError error, const Out&... out) {
                    --target.pending;
                    deliver(done, error ? Result<T>(tl::unexpected(errorOf(*error)))
                                        : guarded([&] { return convert(out...); }));
                });
            ++target.pending;
        } catch (...) {
            refuse(std::move(done), currentError());
        }
    }
    template<typename T>
    static void deliver(const Callback<T>& done, Result<T> result) {
        bus::contain("a callback", [&] { done(std::move(result)); });
    }
    [[nodiscard]] Target& targetAt(const std::string& path);
    void begin(Followed& followed);
    void end(Followed& followed);

    std::shared_ptr<Session> session_;
    std::map<std::string, Target> targets_; // by object path
    std::vector<std::function<void()>> later_;
    Followed events_;
    Followed drops_;
    std::string unitOfDrops_;
    std::vector<sdbus::Slot> retired_; // not freed in their own callbacks
};

} // namespace filterd::client
