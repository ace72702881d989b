// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/queues/set_warnings.hpp"

#include "cli/verb/failure.hpp"
#include "cli/verb/verb.hpp"
#include "core/model/names.hpp"
#include "core/warnings/rule_warnings.hpp"
#include "edge/host/config_files.hpp"
#include "edge/host/running_units.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>
#include <utility>

namespace filterd::cli {

namespace {

// Returns whether the unit is what a warning is about: the unit that was meant, perhaps, is not.
bool isAbout(const std::string& warning, const std::string& unit) {
    const auto said = warning.substr(0, warning.find("; did you mean "));
    return said.find("'" + unit + "'") != std::string::npos || said.find(" " + unit) != std::string::npos;
}

// The files of another machine are not read: there any filter may.
bool mayDropOneOf(const std::vector<std::string>& names) {
    const auto sources = isAskedHere() && !names.empty() ? ConfigFiles().read({}).filters : FilterSources();
    const KnownDefinitions known(sources);
    return std::any_of(names.begin(), names.end(), [&](const auto& name) {
        const auto filter = FilterName::parse(name);
        return !filter || mayDrop(*filter, known);
    });
}

// The folders of the user's own units, which the daemon does not read.
std::vector<std::filesystem::path> ownUnitPaths() {
    const auto at = [](const char* variable, const char* belowHome) -> std::filesystem::path {
        const char* const given = std::getenv(variable);
        const char* const home = std::getenv("HOME");
        if (given != nullptr && *given != '\0')
            return given;
        return home != nullptr && belowHome != nullptr ? std::filesystem::path(home) / belowHome : "";
    };
    std::vector<std::filesystem::path> paths;
    for (const auto& [base, folder] : {std::pair(at("XDG_CONFIG_HOME", ".config"), "systemd/user"),
                                       std::pair(at("XDG_CONFIG_HOME", ".config"), "systemd/user.control"),
                                       std::pair(at("XDG_DATA_HOME", ".local/share"), "systemd/user"),
                                       std::pair(at("XDG_RUNTIME_DIR", nullptr), "systemd/user"),
                                       std::pair(at("XDG_RUNTIME_DIR", nullptr), "systemd/generator")})
        if (!base.empty())
            paths.push_back(base / folder);
    return paths;
}

// What users set for units of their own the daemon does not judge: their mistakes are nobody else's.
void warnOfOwnUnit(const std::string& unit) {
    if (!isAskedHere() || ::geteuid() == 0 || userOfUnit(unit) != ::geteuid())
        return;
    auto known = ConfigFiles().read({}).units.known;
    known.isHomeRead = true;
    for (const auto& path : ownUnitPaths()) {
        std::error_code missing;
        for (std::filesystem::directory_iterator it(path, missing), end; !missing && it != end;
             it.increment(missing))
            if (auto name = it->path().filename().string(); isUnitName(name))
                known.ofUsers.insert(std::move(name));
    }
    const RunningUnitsOnDemand running([] { return runningUnits(); });
    if (const auto why = whyUnknown(unit, known, running); !why.empty())
        complain("warning: " + std::string(kUserSource) + ": " + why);
}

} // namespace

client::Result<std::vector<std::string>> warningsBefore(const client::Client& client) {
    const auto status = client.status();
    if (!status)
        return tl::unexpected(status.error());
    return status->configurationWarnings;
}

Exit warnOfRule(const client::Client& client, const std::vector<std::string>& before, const std::string& unit,
                const std::vector<std::string>& filters) {
    const auto status = client.status();
    if (!status)
        return failed(status.error());
    for (const auto& warning : status->configurationWarnings)
        if (warning.starts_with("bus: ") &&
            (isAbout(warning, unit) || std::find(before.begin(), before.end(), warning) == before.end()))
            complain("warning: " + warning);
    warnOfOwnUnit(unit);
    const Rule rule{.source = std::string(kBusSource), .targets = {unit}, .ingress = {}, .egress = {}};
    if (const auto danger = lockOutWarning(rule); danger && mayDropOneOf(filters))
        complain("warning: " + *danger);
    return Exit::Ok;
}

} // namespace filterd::cli
