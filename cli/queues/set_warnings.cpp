// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/queues/set_warnings.hpp"

#include "cli/verb/failure.hpp"
#include "cli/verb/verb.hpp"
#include "core/warnings/rule_warnings.hpp"
#include "edge/host/config_files.hpp"

#include <algorithm>

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
    const Rule rule{.source = std::string(kBusSource), .targets = {unit}, .ingress = {}, .egress = {}};
    if (const auto danger = lockOutWarning(rule); danger && mayDropOneOf(filters))
        complain("warning: " + *danger);
    return Exit::Ok;
}

} // namespace filterd::cli
