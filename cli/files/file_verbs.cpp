// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// cat, check, explain: what the configuration files say. cat and check need no daemon.

#include "cli/files/displaced_files.hpp"
#include "cli/files/explain.hpp"
#include "cli/files/inspection.hpp"
#include "cli/files/saved_values.hpp"
#include "cli/files/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/first_packets.hpp"
#include "core/model/first_packets.hpp"
#include "core/warnings/configuration_check.hpp"
#include "edge/host/config_files.hpp"
#include "edge/host/running_units.hpp"

#include <memory>

namespace filterd::cli {

namespace {

// Returns what is saved for a filter; it comes before what its files state.
std::vector<SavedInFile> savedFor(const std::string& name) {
    const auto filter = FilterName::parse(name);
    return filter ? savedValuesOf(*filter, ConfigFiles().read({}).filters) : std::vector<SavedInFile>();
}

void printFiles(const std::vector<ConfigText>& files, const std::vector<SavedInFile>& saved) {
    for (std::size_t i = 0; i < files.size(); ++i)
        print((i == 0 ? "" : "\n") + coloured("# " + files[i].path, Colour::Dim) + "\n" + files[i].text);
    if (!saved.empty())
        print((files.empty() ? "" : "\n") +
              coloured(std::string("# saved by 'filterctl set --save'") +
                           (files.empty() ? "," : ": comes before [Parameters]") +
                           " until 'filterctl unset " + saved.front().filter + " --all'",
                       Colour::Dim) +
              "\n");
    for (const auto& one : saved)
        print("# " + one.name + "=" + one.value + "\n");
}

void printDocument(const std::vector<ConfigText>& files, const std::vector<SavedInFile>& saved) {
    nlohmann::json document{{"files", nlohmann::json::array()}, {"saved", nlohmann::json::array()}};
    for (const auto& file : files)
        document["files"].push_back({{"path", file.path}, {"text", file.text}});
    for (const auto& one : saved)
        document["saved"].push_back(jsonOf(one));
    printJson(document);
}

Exit catFiles(const std::string& name, bool json) {
    const auto files = ConfigFiles().files(name);
    if (!files) {
        complain(files.error().message);
        return Exit::Failed;
    }
    const auto saved = savedFor(name);
    if (const auto mask = ConfigFiles().maskOf(name); files->empty() && saved.empty() && !mask.empty()) {
        complain("'" + name + "' is masked by " + mask +
                 ", an empty file or a link to /dev/null; remove that");
        return Exit::Failed;
    }
    if (files->empty() && saved.empty()) {
        complain("no file defines '" + name +
                 "': name a filter, a NAME.queue file, or a unit with [X-Filterd]");
        return Exit::Failed;
    }
    json ? printDocument(*files, saved) : printFiles(*files, saved);
    return Exit::Ok;
}

// Adds what this machine's kernel makes of the files.
void addFirstPackets(const Configuration& configuration, CheckReport& report) {
    const auto lacking = whatGuardLacks();
    if (!lacking || configuration.rules.empty())
        return;
    report.warnings.push_back(firstPacketsPass(*lacking));
    for (auto& error : holdsNotKept(configuration.rules, *lacking))
        report.errors.push_back(std::move(error));
}

CheckReport reportOn(const std::string& root) {
    Inspection inspection(root);
    const auto inspect = [&](const FilterDefinition& definition) { return inspection.of(definition); };
    const bool isHere = inspection.isHere();
    const RunningUnitsOnDemand running(isHere ? RunningUnitsOnDemand::Reader([] { return runningUnits(); })
                                              : nullptr);
    auto configuration = ConfigFiles(ConfigPlaces::below(root)).read({});
    for (auto& fault : savedFaults(root))
        configuration.warnings.push_back(std::move(fault));
    packet::CompiledRuleNotes notes(inspection.expressions());
    auto report = checkConfiguration(configuration, inspect, running, notes);
    if (isHere) {
        addFirstPackets(configuration, report);
        for (const auto& [name, warning] : displacedFiles(configuration))
            report.warnings.push_back(warning);
    }
    auto saved = inspection.saved(configuration.filters);
    for (auto* some : {&saved.overrides, &saved.misfits})
        std::move(some->begin(), some->end(), std::back_inserter(report.warnings));
    return report;
}

Exit checkFiles(const std::string& root, bool json) {
    const auto report = reportOn(root);
    if (json) {
        printJson({{"errors", report.errors}, {"warnings", report.warnings}});
        return report.errors.empty() ? Exit::Ok : Exit::Failed;
    }
    for (const auto& error : report.errors)
        complain(error);
    for (const auto& warning : report.warnings)
        complain("warning: " + warning);
    return report.errors.empty() ? Exit::Ok : Exit::Failed;
}

void addCat(CLI::App& app, Invocation& invocation) {
    auto name = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("cat", "Show the files behind a filter, a .queue file or a unit");
    verb->add_option("NAME", *name,
                     "A filter (port@443), a .queue file (10-web.queue) or a unit (nginx.service)")
        ->required();
    verb->callback([name, &invocation] {
        invocation.action = [name, &invocation] { return catFiles(*name, invocation.json); };
    });
}

void addCheck(CLI::App& app, Invocation& invocation) {
    auto root = std::make_shared<std::string>("/");
    auto* verb =
        app.add_subcommand("check", "Check every configuration file, without a daemon; fails on an error");
    verb->add_option("--root", *root, "Check the system below this directory")->check(CLI::ExistingDirectory);
    verb->callback([root, &invocation] {
        invocation.action = [root, &invocation] { return checkFiles(*root, invocation.json); };
    });
}

void addExplain(CLI::App& app, Invocation& invocation) {
    auto unit = std::make_shared<std::string>();
    auto* verb =
        app.add_subcommand("explain", "Tell which unit rule applies to a unit, from which files, and why");
    verb->add_option("UNIT", *unit, "The unit's name, or an absolute cgroup path")->required();
    verb->callback([unit, &invocation] { invocation.action = [unit] { return explainUnit(*unit); }; });
}

} // namespace

void addFileVerbs(CLI::App& app, Invocation& invocation) {
    addCat(app, invocation);
    addCheck(app, invocation);
    addExplain(app, invocation);
}

} // namespace filterd::cli
