// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what unit files say that keeps packets away from a unit's queues, or gives the queues another
// meaning.

#include "core/syntax/config_text.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

struct UnitTraits {
    std::set<std::string> started;             // units that a link in *.wants/ or *.requires/ names
    std::set<std::string> keepsSockets;        // FileDescriptorStoreMax=
    std::map<std::string, std::string> slices; // Slice=
    std::set<std::string> ownNetwork;          // PrivateNetwork=
    std::set<std::string> tunnels;             // set up interfaces whose packets the kernel sends
    std::set<std::string> kernelServers;       // start servers that are within the kernel
    // Maps services to what they start in units of its own: service -> names and globs of these
    // (docker-*.scope).
    std::map<std::string, std::set<std::string>> madeUnits;
    // .mount units, and services that mount by themselves, and the types of the file systems.
    std::map<std::string, std::string> networkMounts;
    // The service that resolves names for all others: nss-resolve or nscd, which they ask by a local socket.
    std::string resolver;

    bool operator==(const UnitTraits&) const = default;
};

// Notes what the files of a unit say, in the order they apply.
void noteTraits(UnitTraits& traits, const std::string& unit, const std::vector<ConfigText>& files);

// Returns whether a file may say any of it, as a quick look.
[[nodiscard]] bool mayTellTraits(std::string_view text);

// Which service the text of nsswitch.conf has names resolved by; empty: each program does it itself.
[[nodiscard]] std::string resolverIn(const std::string& nsswitch, const std::set<std::string>& started);

} // namespace filterd
