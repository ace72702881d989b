// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_traits.hpp"

#include "core/units/foreign_traffic.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace filterd {

namespace {

// An empty assignment takes commands back.
constexpr std::array<std::string_view, 6> kTellingKeys{
    "FileDescriptorStoreMax", "PrivateNetwork", "Slice", "[Mount]", "PAMName", "ExecStart=\n"};
constexpr std::array<std::string_view, 4> kCommands{"ExecStart", "ExecStop", "ExecReload", "ExecCondition"};
constexpr std::string_view kSessions = "session-*.scope";
constexpr std::string_view kUserManager = "user@.service"; // its session has no scope

bool isTrue(const std::string& value) { return parseBoolean(value).value_or(false); }

void assign(std::set<std::string>& units, const std::string& unit, bool isIn) {
    if (isIn)
        units.insert(unit);
    else
        units.erase(unit);
}

bool isCommand(const std::string& key) {
    return std::any_of(kCommands.begin(), kCommands.end(),
                       [&](std::string_view command) { return key.starts_with(command); });
}

// Collects what several settings say together, of which a later one may take back an earlier one.
struct Said {
    std::string type;
    std::string what;
    std::string session;                                      // PAMName=
    std::map<std::string, std::vector<std::string>> commands; // key -> lines
};

void noteSaid(UnitTraits& traits, const std::string& unit, const Said& said) {
    if (const auto system = fileSystemOf(said.type, said.what); isNetworkFileSystem(system))
        traits.networkMounts.insert_or_assign(unit, system);
    if (!said.session.empty() && unit != kUserManager)
        traits.madeUnits[unit].emplace(kSessions);
    for (const auto& [key, lines] : said.commands)
        for (const auto& line : lines) {
            const auto traffic = foreignTrafficOf(line);
            if (!traffic.units.empty())
                traits.madeUnits[unit].insert(traffic.units.begin(), traffic.units.end());
            if (!traffic.fileSystems.empty())
                traits.networkMounts.insert_or_assign(unit, *traffic.fileSystems.begin());
            if (traffic.makesTunnel)
                traits.tunnels.insert(unit);
            if (traffic.startsServer)
                traits.kernelServers.insert(unit);
        }
}

} // namespace

bool mayTellTraits(std::string_view text) {
    const auto has = [&](std::string_view key) { return text.find(key) != std::string_view::npos; };
    return std::any_of(kTellingKeys.begin(), kTellingKeys.end(), has) || mayHaveForeignTraffic(text);
}

void noteTraits(UnitTraits& traits, const std::string& unit, const std::vector<ConfigText>& files) {
    Said said;
    for (const auto& file : files)
        for (const auto& [section, key, value, line] : readableParts(file.path, file.text).entries) {
            if (section == "Mount" && key == "Type")
                said.type = value;
            else if (section == "Mount" && key == "What")
                said.what = value;
            else if (key == "Slice")
                traits.slices[unit] = value;
            else if (key == "FileDescriptorStoreMax")
                assign(traits.keepsSockets, unit, !value.empty() && value != "0");
            else if (key == "PrivateNetwork")
                assign(traits.ownNetwork, unit, isTrue(value));
            else if (key == "PAMName")
                said.session = value;
            else if (isCommand(key) && value.empty())
                said.commands.erase(key);
            else if (isCommand(key))
                said.commands[key].push_back(value);
        }
    noteSaid(traits, unit, said);
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
