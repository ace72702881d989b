// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Calls that are under way on one connection, and their answers.

#include "client/convert.hpp"
#include "client/session.hpp"

#include <filterd/async.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace filterd::client {

inline constexpr const char* kManagerInterface = "org.filterd1.Manager";
inline constexpr const char* kFilterInterface = "org.filterd1.Filter";
inline constexpr const char* kUnitInterface = "org.filterd1.Unit";
inline constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

class AsyncCalls {
  public:
    explicit AsyncCalls(std::shared_ptr<Session> session) : session_(std::move(session)) {}
    ~AsyncCalls();
    AsyncCalls(const AsyncCalls&) = delete;
    AsyncCalls& operator=(const AsyncCalls&) = delete;

    [[nodiscard]] const std::shared_ptr<Session>& session() const { return session_; }
    [[nodiscard]] sdbus::IConnection& connection() const { return session_->connection(); }

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
    template<typename... Out, typename T, typename Convert, typename... In>
    void askManager(const char* member, Callback<T> done, Convert convert, const In&... in) {
        ask<Out...>(bus::kManagerPath, kManagerInterface, member, std::move(done), std::move(convert), in...);
    }
    // For calls that return nothing, or nothing that is needed.
    template<typename... Out, typename... In>
    void tellManager(const char* member, Callback<void> done, const In&... in) {
        askManager<Out...>(
            member, std::move(done), [](const Out&...) {}, in...);
    }
    // Finds the object of a filter or a unit first, by GetFilter or GetUnit.
    template<typename T>
    void withObject(const char* getter, const std::string& name, Callback<T> done,
                    const std::function<void(const std::string& path)>& next) {
        const auto found = [done, next](Result<std::string> path) {
            if (path)
                next(*path);
            else
                done(tl::unexpected(path.error()));
        };
        askManager<sdbus::ObjectPath>(
            getter, Callback<std::string>(found),
            [](const sdbus::ObjectPath& path) -> std::string { return path; }, name);
    }
    template<typename T>
    void properties(const std::string& path, const char* interface, Callback<T> done,
                    T (*read)(const Properties&)) {
        ask<Options>(
            path, kProperties, "GetAll", std::move(done),
            [read](const Options& values) { return read(Properties(values)); }, std::string(interface));
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
