// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_traits.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace filterd {

namespace {

constexpr std::array<std::string_view, 9> kNetworkFileSystems{"nfs", "nfs4", "cifs", "smb3",  "ceph",
                                                              "afs", "9p",   "coda", "lustre"};
constexpr std::array<std::string_view, 7> kTellingKeys{
    "FileDescriptorStoreMax", "PrivateNetwork", "Slice", "[Mount]", "wg-quick", "wg setconf", "PAMName"};
constexpr std::array<std::string_view, 4> kKernelServers{"rpc.nfsd", "nfsdctl", "ksmbd.mountd",
                                                         "targetctl restore"};
// Programs, and the units in which they put what they start.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kManagers{
    {{"dockerd", "docker-*.scope"},
     {"containerd", "cri-containerd-*.scope"},
     {"crio", "crio-*.scope"},
     {"libvirtd", "machine-*.scope"},
     {"virtqemud", "machine-*.scope"},
     {"virtlxcd", "machine-*.scope"}}};
constexpr std::string_view kSessions = "session-*.scope";
constexpr std::string_view kUserManager = "user@.service"; // its session has no scope

bool isTrue(const std::string& value) { return parseBoolean(value).value_or(false); }

void assign(std::set<std::string>& units, const std::string& unit, bool isIn) {
    if (isIn)
        units.insert(unit);
    else
        units.erase(unit);
}

// As mount(8) guesses it from what is mounted, if it is not said.
std::string fileSystemOf(const std::string& type, const std::string& what) {
    if (!type.empty() && type != "auto")
        return type;
    if (what.starts_with("//"))
        return "cifs";
    const auto colon = what.find(":/");
    return colon != std::string::npos && what.find('/') > colon ? "nfs" : type;
}

// The program's name of a command line of systemd's: "dockerd" of "-/usr/sbin/dockerd -H fd://".
std::string programOf(const std::string& command) {
    const auto parts = words(command);
    if (parts.empty())
        return {};
    const auto path =
        parts.front().substr(std::min(parts.front().find_first_not_of("@-:+!"), parts.front().size()));
    return path.substr(path.rfind('/') + 1);
}

void noteCommand(UnitTraits& traits, const std::string& unit, const std::string& command) {
    const auto has = [&](std::string_view part) { return command.find(part) != std::string::npos; };
    if (has("wg-quick") || has("wg setconf"))
        traits.wireGuard.insert(unit);
    if (std::any_of(kKernelServers.begin(), kKernelServers.end(), has))
        traits.kernelServers.insert(unit);
    const auto program = programOf(command);
    for (const auto& [manager, units] : kManagers)
        if (program == manager)
            traits.madeUnits.insert_or_assign(unit, std::string(units));
}

} // namespace

bool isNetworkFileSystem(std::string_view type) {
    return std::find(kNetworkFileSystems.begin(), kNetworkFileSystems.end(), type) !=
           kNetworkFileSystems.end();
}

bool mayTellTraits(std::string_view text) {
    const auto has = [&](std::string_view key) { return text.find(key) != std::string_view::npos; };
    return std::any_of(kTellingKeys.begin(), kTellingKeys.end(), has) ||
           std::any_of(kKernelServers.begin(), kKernelServers.end(), has) ||
           std::any_of(kManagers.begin(), kManagers.end(),
                       [&](const auto& manager) { return has(manager.first); });
}

void noteTraits(UnitTraits& traits, const std::string& unit, const std::vector<ConfigText>& files) {
    std::string type;
    std::string what;
    for (const auto& file : files)
        for (const auto& [section, key, value, line] : readableParts(file.path, file.text).entries) {
            if (section == "Mount" && key == "Type")
                type = value;
            else if (section == "Mount" && key == "What")
                what = value;
            else if (key == "Slice")
                traits.slices[unit] = value;
            else if (key == "FileDescriptorStoreMax")
                assign(traits.keepsSockets, unit, !value.empty() && value != "0");
            else if (key == "PrivateNetwork")
                assign(traits.ownNetwork, unit, isTrue(value));
            else if (key == "PAMName" && !value.empty() && unit != kUserManager)
                traits.madeUnits.insert_or_assign(unit, std::string(kSessions));
            else if (key.starts_with("ExecStart"))
                noteCommand(traits, unit, value);
        }
    if (const auto system = fileSystemOf(type, what); isNetworkFileSystem(system))
        traits.networkMounts.insert_or_assign(unit, system);
}

std::string resolverIn(const std::string& nsswitch, const std::set<std::string>& started) {
    constexpr const char* kResolved = "systemd-resolved.service";
    for (const char* cache : {"nscd.service", "unscd.service"})
        if (started.contains(cache))
            return cache;
    std::string_view rest = nsswitch;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        auto services = words(line.substr(0, line.find('#')));
        if (services.empty() || services.front() != "hosts:")
            continue;
        const bool asks = std::find(services.begin(), services.end(), "resolve") != services.end();
        return asks && started.contains(kResolved) ? kResolved : "";
    }
    return {};
}

} // namespace filterd
