// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What unit files say that keeps packets away from a unit's queues, or gives the queues another meaning.

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
    std::set<std::string> wireGuard;           // set up interfaces whose packets the kernel sends
    std::set<std::string> kernelServers;       // start servers that are within the kernel
    // What they start for others is in units of its own: service -> a glob over these (docker-*.scope).
    std::map<std::string, std::string> madeUnits;
    std::map<std::string, std::string> networkMounts; // .mount units, and the types of their file systems
    // The service that resolves names for all others: nss-resolve or nscd, which they ask by a local socket.
    std::string resolver;

    bool operator==(const UnitTraits&) const = default;
};

// Notes what the files of a unit say, in the order they apply.
void noteTraits(UnitTraits& traits, const std::string& unit, const std::vector<ConfigText>& files);

// Whether a file may say any of it, as a quick look.
[[nodiscard]] bool mayTellTraits(std::string_view text);

// Whether the kernel itself talks to the server of such a file system.
[[nodiscard]] bool isNetworkFileSystem(std::string_view type);

// Which service the text of nsswitch.conf has names resolved by; empty: each program does it itself.
[[nodiscard]] std::string resolverIn(const std::string& nsswitch, const std::set<std::string>& started);

} // namespace filterd
