// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/authority.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace filterd {

namespace {

constexpr const char* kPolkit = "org.freedesktop.PolicyKit1";
constexpr const char* kPolkitPath = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* kPolkitInterface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t kAllowInteraction = 1;
// A person has to find a password.
constexpr auto kPatience = std::chrono::minutes(5);
constexpr std::chrono::seconds kQuickly{25};
// Limits the questions of one user: enough for scripts, too few to fill our memory or to occupy polkit.
constexpr std::ptrdiff_t kMaxQuestions = 16;

using Subject = sdbus::Struct<std::string, std::map<std::string, sdbus::Variant>>;
using PolkitAnswer = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;

const char* actionOf(Privilege privilege) {
    switch (privilege) {
    case Privilege::Load:
        return "org.filterd1.load";
    case Privilege::Queues:
        return "org.filterd1.queues";
    case Privilege::OwnUserUnits:
        return "org.filterd1.own-user-units";
    case Privilege::Inspect:
        return "org.filterd1.inspect";
    case Privilege::Tune:
        break;
    }
    return "org.filterd1.tune";
}

Status judge(const PolkitAnswer& answer, Privilege privilege) {
    const auto& [authorised, challenge, details] = bus::fields(answer);
    if (authorised)
        return {};
    if (challenge)
        return failure(
            ErrorCode::InteractiveAuthorizationRequired,
            std::string(actionOf(privilege)) +
                " needs a password: allow interactive authorization, with an agent of polkit to ask, or "
                "call as root");
    return failure(ErrorCode::AccessDenied,
                   std::string("not authorized by polkit for ") + actionOf(privilege) + "; call as root");
}

} // namespace

void Authority::check(const sdbus::IObject& object, Privilege privilege, Decision decision) {
    const auto client = bus::callerName(object);
    if (!client)
        return decision(failure(client.error()));
    const auto uid = uidOf(object, *client);
    if (!uid)
        return decision(failure(uid.error()));
    if (*uid == 0)
        return decision(Caller{*client, 0});
    ask({{*client, *uid}, std::move(decision)}, privilege, bus::callerAllowsInteraction(object));
}

Status Authority::requireRoot(const sdbus::IObject& object, std::optional<uid_t> owner) {
    const auto client = bus::callerName(object);
    const auto uid = client ? uidOf(object, *client) : failure(client.error());
    if (!uid)
        return failure(uid.error());
    if (*uid != 0 && owner != *uid)
        return failure(ErrorCode::AccessDenied, "only root may do this; call as root");
    return {};
}

bool Authority::isUser(const sdbus::IObject& object, std::optional<uid_t> user) {
    const auto client = bus::callerName(object);
    const auto uid = client ? uidOf(object, *client) : failure(client.error());
    return user && uid && *uid != 0 && *uid == *user;
}

std::vector<std::string> Authority::clientsOf(uid_t user) const {
    std::vector<std::string> clients;
    for (const auto& [client, uid] : euids_)
        if (uid == user)
            clients.push_back(client);
    return clients;
}

Result<uid_t> Authority::uidOf(const sdbus::IObject& object, const std::string& client) {
    if (const auto known = euids_.find(client); known != euids_.end())
        return known->second;
    auto euid = bus::callerEuid(object);
    if (euid)
        euids_.emplace(client, *euid);
    return euid;
}

void Authority::ask(Question question, Privilege privilege, bool interactive) {
    const auto open = std::count_if(questions_.begin(), questions_.end(), [&](const auto& entry) {
        return entry.second.caller.uid == question.caller.uid;
    });
    if (open >= kMaxQuestions)
        return question.decision(
            failure(ErrorCode::LimitExceeded, "user " + std::to_string(question.caller.uid) + " has " +
                                                  std::to_string(open) +
                                                  " calls waiting for polkit already; wait for them"));
    const std::uint64_t number = ++asked_;
    const Subject subject{std::string("system-bus-name"), {{"name", sdbus::Variant(question.caller.name)}}};
    questions_.emplace(number, std::move(question));
    if (!polkit_)
        polkit_ = bus::makeProxy(*connection_, kPolkit, kPolkitPath);
    polkit_->callMethodAsync("CheckAuthorization")
        .onInterface(kPolkitInterface)
        .withTimeout(interactive ? std::chrono::duration_cast<std::chrono::microseconds>(kPatience)
                                 : kQuickly)
        .withArguments(subject, std::string(actionOf(privilege)), std::map<std::string, std::string>(),
                       interactive ? kAllowInteraction : std::uint32_t{0}, std::string())
        .uponReplyInvoke([this, number, privilege](bus::AsyncError error, const PolkitAnswer& answer) {
            bus::contain("an answer of polkit", [&] {
                answered(number, error ? failure(ErrorCode::AccessDenied,
                                                 "only root may do this: polkit cannot be asked (" +
                                                     error->getMessage() + ")")
                                       : judge(answer, privilege));
            });
        });
}

void Authority::answered(std::uint64_t number, const Status& status) {
    const auto found = questions_.find(number);
    if (found == questions_.end())
        return;
    const auto question = std::move(found->second);
    questions_.erase(found);
    question.decision(status ? Result<Caller>(question.caller) : failure(status.error()));
}

void Authority::detach() {
    polkit_.reset();
    connection_ = nullptr;
    questions_.clear();
    euids_.clear();
}

void Authority::forget(const std::string& client) {
    slow_.forget(client);
    euids_.erase(client);
    std::erase_if(questions_, [&](const auto& entry) { return entry.second.caller.name == client; });
}

} // namespace filterd
