// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Clients of the bus that want to hear of dropped packets, and of which.

#include "core/drops/drop.hpp"
#include "service/authority.hpp"

#include <map>
#include <set>
#include <string>

namespace filterd {

class DropFollowers {
  public:
    // `unit`: a name, or empty for all. LimitExceeded.
    [[nodiscard]] Status add(const Caller& caller, const std::string& unit);
    // NoSuchEntry if it is not followed.
    [[nodiscard]] Status remove(const std::string& client, const std::string& unit);
    void forget(const std::string& client) { followers_.erase(client); }
    [[nodiscard]] bool empty() const { return followers_.empty(); }

    // Returns who is to be told of a drop of this unit now (microseconds of CLOCK_BOOTTIME), each in its
    // limits.
    [[nodiscard]] std::vector<std::string> toTell(const std::string& unit, std::uint64_t now);

  private:
    struct Follower {
        uid_t uid = 0;
        std::set<std::string> units;
        std::uint64_t secondBegan = 0;
        unsigned toldInSecond = 0;
    };
    std::map<std::string, Follower> followers_; // by unique bus name
};

} // namespace filterd
