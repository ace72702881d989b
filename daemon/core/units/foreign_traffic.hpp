// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Commands whose packets are not those of the unit that runs them: the kernel sends them, or a unit of its
// own.

#include <set>
#include <string>
#include <string_view>

namespace filterd {

struct ForeignTraffic {
    std::set<std::string> units;       // what is started is in one of these (docker-*.scope)
    std::set<std::string> fileSystems; // whose servers the kernel talks to (nfs4)
    bool makesTunnel = false;          // whose packets the kernel sends
    bool startsServer = false;         // within the kernel
};

// Looks at one command line of systemd's. What scripts in files do is not known.
[[nodiscard]] ForeignTraffic foreignTrafficOf(std::string_view line);

// Returns whether a unit's file may have such a command, as a quick look.
[[nodiscard]] bool mayHaveForeignTraffic(std::string_view text);

// Returns whether the kernel itself talks to the server of such a file system.
[[nodiscard]] bool isNetworkFileSystem(std::string_view type);

// As mount(8) guesses it from what is mounted, if it is not said.
[[nodiscard]] std::string fileSystemOf(const std::string& type, const std::string& what);

} // namespace filterd
