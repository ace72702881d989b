// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A call as a value, and the way to make it and wait for the answer.

#include "client/convert.hpp"
#include "client/session.hpp"

#include <memory>
#include <string>
#include <tuple>
#include <utility>

namespace filterd::client {

inline constexpr const char* kManagerInterface = "org.filterd1.Manager";
inline constexpr const char* kFilterInterface = "org.filterd1.Filter";
inline constexpr const char* kUnitInterface = "org.filterd1.Unit";
inline constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

// The object that is called: the manager, or one whose path the manager tells by a name.
struct Target {
    const char* getter = nullptr;
    std::string name = {};
};

// The types of the values that an answer has.
template<typename... Out>
struct Answer {};

// `convert` makes the result of the values of the answer.
template<typename Values, typename Convert, typename... In>
struct Call {
    Target target;
    const char* interface;
    const char* member;
    Convert convert;
    std::tuple<In...> arguments;
};

template<typename... Out, typename Convert, typename... In>
[[nodiscard]] auto callTo(Target target, const char* interface, const char* member, Convert convert,
                          In... in) {
    return Call<Answer<Out...>, Convert, In...>{
        std::move(target), interface, member, std::move(convert), {std::move(in)...}};
}

// For calls that return nothing, or nothing that is needed.
inline constexpr auto kNothing = [](const auto&...) {};

// Returns a proxy of the object whose path the manager tells.
[[nodiscard]] std::unique_ptr<sdbus::IProxy> proxyOf(Session& session, const Target& target);

// Makes the call, waits for its answer, and returns the result. Throws what the daemon or the bus says.
template<typename... Out, typename Convert, typename... In>
auto wait(Session& session, const Call<Answer<Out...>, Convert, In...>& call) {
    const auto other = call.target.getter == nullptr ? nullptr : proxyOf(session, call.target);
    auto& proxy = other ? *other : session.manager();
    std::tuple<Out...> answer;
    const auto send = [&](auto&... out) {
        std::apply(
            [&](const In&... in) {
                proxy.callMethod(call.member)
                    .onInterface(call.interface)
                    .withArguments(in...)
                    .storeResultsTo(out...);
            },
            call.arguments);
    };
    std::apply(send, answer);
    return std::apply(call.convert, std::as_const(answer));
}

} // namespace filterd::client
