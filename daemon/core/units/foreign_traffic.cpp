// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/foreign_traffic.hpp"

#include "core/units/command_line.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace filterd {

namespace {

constexpr std::array<std::string_view, 9> kNetworkFileSystems{"nfs", "nfs4", "cifs", "smb3",  "ceph",
                                                              "afs", "9p",   "coda", "lustre"};
constexpr std::array<std::string_view, 10> kTunnels{"wireguard", "vxlan", "geneve", "gre", "gretap",
                                                    "ip6gre",    "ipip",  "ip6tnl", "sit", "bareudp"};
// Programs, and the units in which they put what they start.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kManagers{
    {{"dockerd", "docker-*.scope"},
     {"containerd", "cri-containerd-*.scope"},
     {"crio", "crio-*.scope"},
     {"libvirtd", "machine-*.scope"},
     {"virtqemud", "machine-*.scope"},
     {"virtlxcd", "machine-*.scope"}}};
// Their clients.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kClients{
    {{"docker", "docker-*.scope"},
     {"docker-compose", "docker-*.scope"},
     {"podman", "libpod-*.scope"},
     {"podman-compose", "libpod-*.scope"},
     {"nerdctl", "nerdctl-*.scope"},
     {"virsh", "machine-*.scope"}}};
constexpr std::array<std::string_view, 6> kStarts{"run", "start", "restart", "exec", "up", "create"};
constexpr std::array<std::string_view, 5> kGroupsOfVerbs{"container", "pod", "compose", "kube", "play"};
constexpr std::array<std::string_view, 22> kTellingWords{
    "wg-quick",   "wg ",     "wireguard", " type ",    " mode ",      "mount ",         "mount.nfs",
    "mount.cifs", "mount.s", "docker",    "podman",    "nerdctl",     "virsh",          "rpc.nfsd",
    "nfsdctl",    "ksmbd",   "virt",      "targetctl", "systemd-run", "systemd-nspawn", "containerd",
    "crio"};

bool has(const Command& command, std::string_view word) { return listHas(command, word); }

// The value of "--name=value", "--name value" or "-n value"; the last one counts.
std::string optionOf(const Command& command, std::string_view name, std::string_view letter) {
    std::string value;
    for (std::size_t at = 1; at < command.size(); ++at) {
        const std::string_view word = command[at];
        if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=')
            value = word.substr(name.size() + 1);
        else if ((word == name || (!letter.empty() && word == letter)) && at + 1 < command.size())
            value = command[++at];
        else if (!letter.empty() && word.starts_with(letter) && word.size() > letter.size())
            value = word.substr(letter.size());
    }
    return value;
}

bool mayAddLink(const Command& command) {
    return std::any_of(command.begin() + 1, command.end(),
                       [](const auto& word) { return word == "add" || word == "a" || word == "ad"; });
}

bool makesTunnel(const Command& command) {
    const auto& program = command.front();
    if (program == "wg-quick")
        return has(command, "up");
    if (program == "wg")
        return has(command, "set") || has(command, "setconf") || has(command, "addconf") ||
               has(command, "syncconf");
    if (program != "ip" || !mayAddLink(command))
        return false;
    return std::adjacent_find(command.begin(), command.end(), [](const auto& key, const auto& kind) {
               return (key == "type" || key == "mode") && listHas(kTunnels, kind);
           }) != command.end();
}

bool startsServer(const Command& command) {
    const auto& program = command.front();
    const bool isNfsd = program == "rpc.nfsd" && !has(command, "0"); // which stops it
    const bool isAsked = program == "nfsdctl" && (has(command, "autostart") || has(command, "threads"));
    return isNfsd || isAsked || program == "ksmbd.mountd" ||
           (program == "targetctl" && has(command, "restore"));
}

// The type of what mount(8) mounts by this command.
std::string mountedBy(const Command& command) {
    constexpr std::array<std::string_view, 7> kWithValue{"-o", "--options", "-L",     "-U",
                                                         "-O", "-t",        "--types"};
    constexpr std::string_view kHelper = "mount.";
    const std::string& program = command.front();
    if (program.starts_with(kHelper) && isNetworkFileSystem(program.substr(kHelper.size())))
        return program.substr(kHelper.size());
    if (program != "mount")
        return {};
    std::string what;
    for (std::size_t at = 1; at < command.size() && what.empty(); ++at)
        if (listHas(kWithValue, command[at]))
            ++at;
        else if (!command[at].starts_with('-'))
            what = command[at];
    const auto types = optionOf(command, "--types", "-t");
    const auto type = fileSystemOf(types.substr(0, types.find(',')), what);
    return isNetworkFileSystem(type) ? type : std::string();
}

// Returns whether the client is told to start something: "docker --debug run", "docker compose -f x.yml up".
bool isToldToStart(const Command& command) {
    bool mayBeValue = false; // of the option before it
    for (std::size_t at = 1; at < command.size(); ++at) {
        const std::string_view word = command[at];
        const bool isGroup = listHas(kGroupsOfVerbs, word);
        if (listHas(kStarts, word) || (word == "play" && command[at - 1] == "kube"))
            return true;
        if (!word.starts_with('-') && !isGroup && !mayBeValue)
            return false;
        mayBeValue = word.starts_with('-') && word.find('=') == std::string_view::npos;
    }
    return false;
}

// Podman leaves the container where it is started itself.
bool staysInUnit(const Command& command) {
    const auto cgroups = optionOf(command, "--cgroups", "");
    return cgroups == "split" || cgroups == "disabled";
}

// "job-*" for "job-%i" and "job-${JOB}": what these stand for is not known.
std::string withoutVariables(const std::string& name) {
    const auto variable = name.find_first_of("%$");
    return variable == std::string::npos ? name : name.substr(0, variable) + "*";
}

// Returns the unit that systemd-run makes; none that is elsewhere, or a user's.
std::string transientUnit(const Command& command) {
    constexpr std::array<std::string_view, 3> kElsewhere{"--user", "-M", "-H"};
    if (std::any_of(kElsewhere.begin(), kElsewhere.end(),
                    [&](auto option) { return has(command, option); }) ||
        !optionOf(command, "--machine", "").empty() || !optionOf(command, "--host", "").empty())
        return {};
    const std::string type = has(command, "--scope") ? ".scope" : ".service";
    auto name = optionOf(command, "--unit", "-u");
    if (name.ends_with(type))
        name.erase(name.size() - type.size());
    return (name.empty() ? "run-*" : withoutVariables(name)) + type;
}

std::string unitOf(const Command& command) {
    const auto& program = command.front();
    const auto isIt = [&](const auto& known) { return known.first == program; };
    if (program == "systemd-run")
        return transientUnit(command);
    if (program == "systemd-nspawn" && !has(command, "--keep-unit"))
        return "machine-*.scope";
    if (const auto* found = std::find_if(kManagers.begin(), kManagers.end(), isIt); found != kManagers.end())
        return std::string(found->second);
    const auto* client = std::find_if(kClients.begin(), kClients.end(), isIt);
    const bool starts = client != kClients.end() && isToldToStart(command) && !staysInUnit(command);
    return starts ? std::string(client->second) : std::string();
}

} // namespace

bool isNetworkFileSystem(std::string_view type) { return listHas(kNetworkFileSystems, type); }

std::string fileSystemOf(const std::string& type, const std::string& what) {
    if (!type.empty() && type != "auto")
        return type;
    if (what.starts_with("//"))
        return "cifs";
    const auto colon = what.find(":/");
    return colon != std::string::npos && what.find('/') > colon ? "nfs" : type;
}

bool mayHaveForeignTraffic(std::string_view text) {
    return std::any_of(kTellingWords.begin(), kTellingWords.end(),
                       [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

ForeignTraffic foreignTrafficOf(std::string_view line) {
    ForeignTraffic traffic;
    for (const auto& command : commandsOf(line)) {
        if (auto unit = unitOf(command); !unit.empty())
            traffic.units.insert(std::move(unit));
        if (auto type = mountedBy(command); !type.empty())
            traffic.fileSystems.insert(std::move(type));
        traffic.makesTunnel = traffic.makesTunnel || makesTunnel(command);
        traffic.startsServer = traffic.startsServer || startsServer(command);
    }
    return traffic;
}

} // namespace filterd
