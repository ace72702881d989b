// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Decides who may do what (I6): effective user id 0 as the bus knows it, else whom polkit authorises; no
// polkit, no. Nothing the caller says of itself counts.

#include "base/result.hpp"
#include "dbus/bridge.hpp"
#include "ports/slow_calls.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace filterd {

// As in org.filterd1.policy. To load is as good as to be root: programs read the kernel's memory.
enum class Privilege : std::uint8_t { Load, Queues, Tune, OwnUserUnits, Inspect };

struct Caller {
    std::string name; // the unique bus name
    uid_t uid = 0;
};

class Authority {
  public:
    explicit Authority(SlowCalls& slow) : slow_(slow) {}
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;
    // What its callers wait for is not tried again.
    ~Authority() { slow_.forgetClients(); }

    // Is told who calls, or why they may not.
    using Decision = std::function<void(const Result<Caller>& caller)>;

    // Decides for the message that `object` is handling now: at once for root, else when polkit has answered.
    // A caller that leaves meanwhile is decided on never.
    void check(const sdbus::IObject& object, Privilege privilege, Decision decision);

    // For what is root's alone, and the owner's if there is one. AccessDenied.
    [[nodiscard]] Status requireRoot(const sdbus::IObject& object, std::optional<uid_t> owner = {});
    // Returns whether another user than root calls, and it is this one.
    [[nodiscard]] bool isUser(const sdbus::IObject& object, std::optional<uid_t> user);
    // The bus names, of those that have called or are known otherwise, of a user.
    [[nodiscard]] std::vector<std::string> clientsOf(uid_t user) const;

    [[nodiscard]] SlowCalls& slow() { return slow_; }

    // Asks polkit on this connection, until detach(), which forgets all open questions.
    void attach(sdbus::IConnection& connection) { connection_ = &connection; }
    void detach();
    // Notes whose client it is, from now on and not only when it calls.
    void know(const std::string& client, uid_t uid) { euids_.emplace(client, uid); }
    // Its questions are not to be answered any more, and nobody has its unique name again.
    void forget(const std::string& client);

  private:
    struct Question {
        Caller caller;
        Decision decision;
    };

    [[nodiscard]] Result<uid_t> uidOf(const sdbus::IObject& object, const std::string& client);
    void ask(Question question, Privilege privilege, bool interactive);
    void answered(std::uint64_t number, const Status& status);

    SlowCalls& slow_;
    sdbus::IConnection* connection_ = nullptr;
    std::unique_ptr<sdbus::IProxy> polkit_; // while somebody has asked
    std::map<std::string, uid_t> euids_;    // by unique bus name
    std::map<std::uint64_t, Question> questions_;
    std::uint64_t asked_ = 0;
};

// The right to answer one method call, later.
template<typename... Out>
class PendingReply {
  public:
    explicit PendingReply(sdbus::Result<Out...>&& result)
        : result_(std::make_shared<sdbus::Result<Out...>>(std::move(result))) {}

    // `body`: a Result of what the method returns (a tuple of several things), or a Status. Nothing leaves
    // but an answer.
    template<typename Body>
    void send(Body&& body) const {
        bus::contain("answer a call", [&] {
            try {
                if constexpr (sizeof...(Out) == 0) {
                    bus::answer(std::forward<Body>(body));
                    result_->returnResults();
                } else if constexpr (sizeof...(Out) == 1) {
                    result_->returnResults(bus::answer(std::forward<Body>(body)));
                } else {
                    std::apply([&](const Out&... out) { result_->returnResults(out...); },
                               bus::answer(std::forward<Body>(body)));
                }
            } catch (const sdbus::Error& error) {
                result_->returnError(error);
            }
        });
    }

  private:
    std::shared_ptr<sdbus::Result<Out...>> result_;
};

// What a body has returned or thrown, to be told later.
template<typename Answer, typename Body>
std::function<Answer()> kept(const Body& body) {
    try {
        return [answer = std::make_shared<Answer>(body())] { return *answer; };
    } catch (...) {
        return [thrown = std::current_exception()]() -> Answer { std::rethrow_exception(thrown); };
    }
}

// Answers a call that is allowed, or refuses it. Where `body` needs something slow it is run again, and the
// answer is that of the last time. It outlives the handler: it must own what it needs.
template<typename... Out, typename Body>
void answerCaller(SlowCalls& slow, const PendingReply<Out...>& reply, const Result<Caller>& caller,
                  const Body& body) {
    using Answer = std::invoke_result_t<Body, const Caller&>;
    const auto refuse = [&](const Error& error) { reply.send([&]() -> Answer { return failure(error); }); };
    if (!caller)
        return refuse(caller.error());
    const Asker asker{caller->name, caller->uid};
    if (auto room = slow.roomFor(asker); !room)
        return refuse(room.error());
    const auto answer = std::make_shared<std::function<Answer()>>();
    slow.run(
        asker, [answer, body, caller = *caller] { *answer = kept<Answer>([&] { return body(caller); }); },
        [answer, reply] { reply.send(*answer); });
}

// Answers a method call by `body`, made from the caller, once the caller is known to have the privilege.
template<typename... Out, typename Body>
void whenAllowed(Authority& authority, const sdbus::IObject& object, Privilege privilege,
                 sdbus::Result<Out...>&& result, Body body) {
    authority.check(
        object, privilege,
        [&slow = authority.slow(), reply = PendingReply<Out...>(std::move(result)),
         body = std::move(body)](const Result<Caller>& caller) { answerCaller(slow, reply, caller, body); });
}

// The same for what is root's alone.
template<typename... Out, typename Body>
void whenRoot(Authority& authority, const sdbus::IObject& object, sdbus::Result<Out...>&& result, Body body) {
    const auto allowed = authority.requireRoot(object);
    const auto name = bus::callerName(object);
    answerCaller(authority.slow(), PendingReply<Out...>(std::move(result)),
                 allowed && name ? Result<Caller>(Caller{*name, 0})
                                 : failure(allowed ? name.error() : allowed.error()),
                 body);
}

} // namespace filterd
