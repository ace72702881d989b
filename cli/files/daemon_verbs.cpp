// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// status, reload

#include "cli/files/changed_files.hpp"
#include "cli/files/inspection.hpp"
#include "cli/files/saved_values.hpp"
#include "cli/files/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/first_packets.hpp"
#include "cli/verb/in_force.hpp"
#include "core/config/filter_content.hpp"
#include "edge/host/config_files.hpp"

#include <algorithm>
#include <set>

namespace filterd::cli {

namespace {

std::string enforcement(const client::Status& status) {
    if (status.enforcing)
        return coloured("yes", Colour::Green);
    return coloured("no", Colour::Red) + whyOff() + ": nothing is filtered until 'filterctl on'";
}

// Units that are not filtered as their rule says.
client::Result<std::vector<client::Unit>> unitsInTrouble(const client::Client& client) {
    const auto all = client.units();
    if (!all)
        return tl::unexpected(all.error());
    std::vector<client::Unit> result;
    for (const auto& summary : *all) {
        if (summary.state == "attached")
            continue;
        auto unit = client.unit(summary.name);
        if (!unit && !isOfTheUnit(unit.error()))
            return tl::unexpected(unit.error());
        if (unit && unit->state != "attached")
            result.push_back(std::move(*unit));
    }
    return result;
}

// The reasons that keep a file from being in force as it is.
struct FileNotes {
    std::vector<std::string> changed;   // since it was read
    std::vector<std::string> overrides; // by saved values
};

// What is saved and does not fit is among the daemon's own warnings.
std::vector<std::string> overriddenFiles() {
    if (!isAskedHere() || !hasSavedValues())
        return {};
    return Inspection().saved(ConfigFiles().read({}).filters).overrides;
}

void printNotes(const FileNotes& notes) {
    if (!notes.changed.empty())
        printField("Changed files", coloured(changeText(notes.changed), Colour::Yellow));
    for (const auto& warning : notes.overrides)
        printField("Overridden", coloured(warning, Colour::Yellow));
}

std::string secondsSince(std::chrono::system_clock::time_point time) {
    const auto passed =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() - time).count();
    return std::to_string(std::max<decltype(passed)>(passed, 0)) + " s";
}

void printPending(const std::vector<client::PendingLoad>& pending) {
    constexpr std::size_t kMost = 5;
    for (std::size_t i = 0; i < std::min(kMost, pending.size()); ++i)
        printField("Loading", pending[i].what + (pending[i].began ? ", for " + secondsSince(*pending[i].began)
                                                                  : ", which waits for its turn"));
    if (pending.size() > kMost)
        printField("Loading", "and " + std::to_string(pending.size() - kMost) + " more");
}

void printStatus(const client::Status& status, const std::vector<client::Unit>& troubled) {
    print(coloured("filterd " + status.version, Colour::Bold) + "\n");
    printField("Enforcing", enforcement(status));
    printField("Filters", std::to_string(status.filters));
    printField("Unit rules", std::to_string(status.unitRules));
    printField("Guarded units", std::to_string(status.units));
    if (const auto warning = firstPacketsWarning(status))
        printField("First packets", coloured(*warning, Colour::Yellow));
    else if (!status.guardReason.empty())
        printField("Guard",
                   coloured(status.guardReason.substr(0, status.guardReason.find('\n')), Colour::Yellow));
    for (const auto& unit : troubled)
        printField(unit.state == "held" ? "Held" : "Failed",
                   coloured(unit.name, colourOfState(unit.state)) + ": " + unit.error);
    if (!status.stateSaved)
        printField("Not saved",
                   coloured("unit rules and references, because memory is short: a restart of filterd "
                            "would lose the latest ones",
                            Colour::Red));
    printPending(status.pending);
    for (const auto& queue : status.unconfirmed)
        printField("Unconfirmed",
                   queue.target + ": will be reverted in " +
                       std::to_string(std::chrono::ceil<std::chrono::seconds>(queue.left).count()) +
                       " s unless 'filterctl confirm " + queue.target + "' is called");
    for (const auto& error : status.configurationErrors)
        printField("Broken file", coloured(error, Colour::Red));
    for (const auto& warning : status.configurationWarnings)
        printField("Warning", coloured(warning, Colour::Yellow));
}

// Returns what check says of filters that nothing uses, but for what the reload itself has said.
std::vector<std::string> unusedFaults(const std::vector<client::FilterSummary>& loaded,
                                      const std::string& said) {
    if (!isAskedHere())
        return {};
    std::set<std::string> names;
    for (const auto& filter : loaded)
        names.insert(filter.name);
    std::vector<std::string> faults;
    for (const auto& fault : Inspection().faultsOfOthers(ConfigFiles().read({}).filters, names))
        if (said.find(fault) == std::string::npos)
            faults.push_back(faultOfUnused(fault));
    return faults;
}

} // namespace

Exit showStatus(client::Client& client, bool json) {
    auto status = client.status();
    if (!status)
        return failed(status.error());
    const auto loaded = client.filters();
    if (!loaded)
        return failed(loaded.error());
    std::string said;
    for (const auto& error : status->configurationErrors)
        said += error + "\n";
    for (auto& fault : unusedFaults(*loaded, said))
        status->configurationWarnings.push_back(std::move(fault));
    const auto troubled = unitsInTrouble(client);
    if (!troubled)
        return failed(troubled.error());
    auto changed = changedFiles(client);
    if (!changed)
        return failed(changed.error());
    const FileNotes notes{std::move(*changed), overriddenFiles()};
    if (json) {
        nlohmann::json document = *status;
        document["changed_files"] = notes.changed;
        document["overridden"] = notes.overrides;
        document["units_in_trouble"] = nlohmann::json::array();
        for (const auto& unit : *troubled)
            document["units_in_trouble"].push_back(
                {{"name", unit.name}, {"state", unit.state}, {"error", unit.error}});
        printJson(document);
    } else {
        printStatus(*status, *troubled);
        printNotes(notes);
    }
    return Exit::Ok;
}

namespace {

// What is in force, and does not do what it looks like, is told whether or not a file is broken.
void tellWarnings(const std::vector<std::string>& warnings, const std::vector<std::string>& notes) {
    for (const auto& warning : warnings)
        complain("warning: " + warning);
    for (const auto& note : notes)
        complain("note: " + note);
}

// Broken files one on a line, where the call's own error has all of them in one.
Exit tellErrors(const client::Error& error, const client::Result<client::Status>& status) {
    if (error.name != client::errors::kBadConfiguration || !status || status->configurationErrors.empty())
        return failed(error);
    for (const auto& one : status->configurationErrors)
        complain(one);
    return Exit::Failed;
}

Exit reloadFiles(client::Client& client, bool json) {
    auto changed = changedFiles(client);
    if (!changed)
        return failed(changed.error());
    const auto reloaded = client.reload();
    if (!reloaded) // it names the files that are broken itself
        std::erase_if(*changed, [&](const auto& path) {
            return reloaded.error().message.find(path + ":") != std::string::npos;
        });
    const auto loaded = client.filters();
    const auto rules = client.unitRules();
    const auto status = client.status();
    const auto exit = reloaded ? Exit::Ok : tellErrors(reloaded.error(), status); // first, as check has them
    if (!loaded || !rules || !status)
        return !reloaded ? exit : failed(!loaded ? loaded.error() : !rules ? rules.error() : status.error());
    auto unused = unusedFilters(*changed, *loaded, *rules);
    const auto overrides = overriddenFiles();
    auto warnings = status->configurationWarnings;
    for (auto& fault : unusedFaults(*loaded, reloaded ? "" : reloaded.error().message))
        warnings.push_back(std::move(fault));
    if (json) {
        printJson({{"unused", unused}, {"overridden", overrides}, {"warnings", warnings}});
    } else {
        unused.insert(unused.end(), overrides.begin(), overrides.end());
        tellWarnings(warnings, unused);
    }
    warnIfOff(*status);
    return warnOfFirstPackets(client, exit);
}

} // namespace

void addDaemonVerbs(CLI::App& app, Invocation& invocation) {
    auto* status = app.add_subcommand("status", "Show whether filterd enforces, and how much");
    status->callback([&invocation] {
        invocation.action = [&invocation] {
            return withDaemon([&](client::Client& client) { return showStatus(client, invocation.json); });
        };
    });

    auto* reload = app.add_subcommand("reload", "Read the configuration files again");
    reload->callback([&invocation] {
        invocation.action = [&invocation] {
            return withDaemon([&](client::Client& client) { return reloadFiles(client, invocation.json); });
        };
    });
}

} // namespace filterd::cli
