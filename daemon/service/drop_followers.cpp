// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/drop_followers.hpp"

namespace filterd {

namespace {

constexpr std::size_t kMostOfUser = 16;
// More than a person or a bus can take; a client that does not read fills the bus's memory.
constexpr unsigned kMostPerSecond = 1'000;
constexpr std::uint64_t kSecond = 1'000'000;

} // namespace

Status DropFollowers::add(const Caller& caller, const std::string& unit) {
    std::size_t ofUser = 0;
    for (const auto& [client, follower] : followers_)
        if (follower.uid == caller.uid)
            ofUser += follower.units.size();
    const auto known = followers_.find(caller.name);
    if (known != followers_.end() && known->second.units.contains(unit))
        return {};
    if (caller.uid != 0 && ofUser >= kMostOfUser)
        return failure(ErrorCode::LimitExceeded, "user " + std::to_string(caller.uid) +
                                                     " follows the drops of " + std::to_string(ofUser) +
                                                     " units already; unfollow some");
    auto& follower = followers_[caller.name];
    follower.uid = caller.uid;
    follower.units.insert(unit);
    return {};
}

Status DropFollowers::remove(const std::string& client, const std::string& unit) {
    const auto found = followers_.find(client);
    if (found == followers_.end() || found->second.units.erase(unit) == 0)
        return failure(ErrorCode::NoSuchEntry,
                       "you do not follow the drops of " + (unit.empty() ? "all units" : "'" + unit + "'"));
    if (found->second.units.empty())
        followers_.erase(found);
    return {};
}

std::vector<std::string> DropFollowers::toTell(const std::string& unit, std::uint64_t now) {
    std::vector<std::string> clients;
    for (auto& [client, follower] : followers_) {
        if (!follower.units.contains("") && !follower.units.contains(unit))
            continue;
        if (now >= follower.secondBegan + kSecond) {
            follower.secondBegan = now;
            follower.toldInSecond = 0;
        }
        if (follower.toldInSecond++ < kMostPerSecond)
            clients.push_back(client);
    }
    return clients;
}

} // namespace filterd
