// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/files/explain.hpp"

#include "base/text.hpp"
#include "cli/files/displaced_files.hpp"
#include "cli/files/file_faults.hpp"
#include "cli/files/inspection.hpp"
#include "cli/files/lineage.hpp"
#include "cli/files/saved_values.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "core/config/filter_content.hpp"
#include "core/warnings/rule_warnings.hpp"
#include "core/warnings/socket_warnings.hpp"
#include "edge/host/config_files.hpp"
#include "edge/host/running_units.hpp"
#include "edge/pcap/pcap_expressions.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace filterd::cli {

namespace {

std::vector<FilterName> parseNames(const std::vector<std::string>& texts) {
    std::vector<FilterName> names;
    for (const auto& text : texts)
        if (auto name = FilterName::parse(text))
            names.push_back(std::move(*name));
    return names;
}

struct CurrentRules {
    Rules rules;
    std::vector<std::string> errors; // of files
    bool fromDaemon = false;
};

// As the daemon has it now, or, without a daemon, as the files do.
CurrentRules currentRules(const Configuration& files) {
    auto client = client::Client::connect();
    const auto rules = client ? client->unitRules() : tl::unexpected(client.error());
    const auto status = client ? client->status() : tl::unexpected(client.error());
    CurrentRules now;
    if (!rules || !status) {
        now.errors = files.errors;
        if (const auto set = now.rules.setFiles(files.rules); !set)
            now.errors.push_back(set.error().message);
        return now;
    }
    now.errors = status->configurationErrors;
    now.fromDaemon = true;
    std::vector<filterd::Rule> ordered;
    for (const auto& rule : *rules) {
        filterd::Rule one{.source = rule.source,
                          .targets = rule.targets,
                          .ingress = parseNames(rule.queues.ingress),
                          .egress = parseNames(rule.queues.egress)};
        one.onFailure = rule.queues.onFailure == client::OnFailure::Pass ? OnFailure::Pass : OnFailure::Hold;
        one.logOnly = rule.queues.logOnly;
        one.broken = rule.error;
        ordered.push_back(std::move(one));
    }
    if (const auto set = now.rules.setFiles(ordered); !set)
        now.errors.push_back(set.error().message);
    return now;
}

bool isBus(const filterd::Rule& rule) { return rule.source == kBusSource; }
bool isQueueFile(const filterd::Rule& rule) { return rule.source.ends_with(".queue"); }

std::string whyOf(const CoveringRule& covering) {
    const auto target = "'" + covering.target + "' covers it";
    if (covering.rule->source == kUserSource)
        return "its user has added filters, behind those of the next rule: " + target;
    if (isBus(*covering.rule))
        return "it was set on the bus, which comes before every file: " + target;
    if (isQueueFile(*covering.rule))
        return target +
               "; nothing was set on the bus or in the unit's own files, and no earlier .queue file does";
    return "[X-Filterd] in the unit's own files comes before every .queue file: " + target;
}

// With what is wrong in each of them.
void printFiles(const std::string& label, const std::string& name, const std::vector<std::string>& errors) {
    const auto files = ConfigFiles().files(name);
    const auto faults = faultsOf(name, errors);
    if (files)
        for (const auto& file : *files)
            printField(label, file.path);
    else if (faults.empty())
        printField(label, files.error().message);
    for (const auto& error : faults)
        printField("Broken", coloured(error, Colour::Red));
}

void printQueue(const std::string& label, const std::vector<FilterName>& queue, const FilterSources& filters,
                const std::vector<std::string>& errors) {
    for (const auto& filter : queue) {
        printField(label, filter.text());
        printFiles("  defined in", filter.text(), errors);
        for (const auto& saved : savedValuesOf(filter, filters))
            printField("  saved value",
                       saved.name + "=" + saved.value +
                           (saved.overrides()
                                ? ", in place of '" + saved.stated.value_or("") + "' at " + saved.place
                                : ""));
        PcapExpressions expressions;
        packet::CompiledRuleNotes notes(expressions);
        if (const auto definition = filters.define(filter))
            for (const auto& note : notesOf(*definition, notes))
                printField("  Note", note);
    }
}

void printRule(const std::string& unit, const CoveringRule& covering, const FilterSources& filters,
               const std::vector<std::string>& errors) {
    const auto& rule = *covering.rule;
    printField("Rule", rule.source);
    printField("Why", whyOf(covering));
    if (isQueueFile(rule))
        printFiles("File", std::filesystem::path(rule.source).filename().string(), errors);
    else if (!isBus(rule) && rule.source != kUserSource)
        printFiles("File", unit, errors);
    printQueue("Ingress", rule.ingress, filters, errors);
    printQueue("Egress", rule.egress, filters, errors);
    if (rule.ingress.empty() && rule.egress.empty() && rule.broken.empty())
        printField("Filters", "none: the rule exempts the unit");
    if (!rule.broken.empty() && isBus(rule))
        printField("Broken", coloured(rule.broken, Colour::Red));
    if (rule.logOnly)
        printField("Log only", "yes: nothing is dropped, what would be is counted");
    printField("On failure", rule.onFailure == OnFailure::Hold ? "hold" : "pass");
}

void printState(const std::string& unit) {
    auto client = client::Client::connect();
    const auto now = client ? client->unit(unit) : tl::unexpected(client.error());
    const auto whole = client ? client->status() : tl::unexpected(client.error());
    if (whole && !whole->enforcing)
        printField("State", coloured("everything is switched off until 'filterctl on'", Colour::Red));
    else if (!now && now.error().name == client::errors::kNoSuchUnit)
        printField("State", "not running");
    else if (!now)
        printField("State", "not known: " + now.error().message);
    if (!now)
        return;
    printField("State", coloured(now->state, colourOfState(now->state)));
    if (!now->modeReason.empty())
        printField("Note", now->modeReason);
    if (!now->error.empty())
        printField("Error", coloured(now->error, Colour::Red));
}

std::string queueText(std::string_view direction, const std::vector<FilterName>& queue) {
    return queue.empty() ? std::string() : std::string(direction) + " " + joined(textsOf(queue), " ");
}

// The units among these that have a queue, in one line each.
void printQueuesOf(const std::string& label, const std::vector<std::string>& units, const Rules& rules) {
    constexpr std::size_t kMost = 10;
    std::size_t more = 0;
    std::size_t shown = 0;
    for (const auto& unit : units) {
        const auto covering = rules.covering(unit);
        if (covering.empty() || !hasQueue(*covering.front().rule))
            continue;
        if (shown++ >= kMost) {
            ++more;
            continue;
        }
        const auto& rule = *covering.front().rule;
        std::vector<std::string> parts;
        for (auto part : {queueText("ingress", rule.ingress), queueText("egress", rule.egress)})
            if (!part.empty())
                parts.push_back(std::move(part));
        printField(label, unit + ": " + joined(parts, "; ") + (rule.logOnly ? " (log only)" : "") + ", by " +
                              rule.source);
    }
    if (more > 0)
        printField(label, "and " + std::to_string(more) + " more units");
}

bool isGuarded(const std::string& unit, const Rules& rules) {
    const auto covering = rules.covering(unit);
    return !covering.empty() && hasQueue(*covering.front().rule);
}

void printLineage(const Lineage& lineage, const Rules& rules) {
    printQueuesOf("Judged above, too", lineage.above, rules);
    printQueuesOf("Judged below, too", lineage.below, rules);
}

void printWarnings(const std::string& unit, const filterd::Rule& rule, const Rules& rules,
                   const Configuration& files) {
    const RunningUnitsOnDemand running([] { return runningUnits(); });
    Inspection inspection;
    const KnownDefinitions filters(files.filters, [&](const FilterName& name) {
        return inspection.needsBothDirections(files.filters, name);
    });
    const RuleSurroundings around{files.units, filters, running};
    for (const auto& sentence : unseenTraffic(unit, rule, rules, around))
        printField("Warning", coloured(sentence, Colour::Yellow));
    for (const auto& warning : queueWarnings(rule, filters))
        printField("Warning", coloured(warning, Colour::Yellow));
    for (const auto& [name, warning] : displacedFiles(files))
        if (std::find(rule.ingress.begin(), rule.ingress.end(), name) != rule.ingress.end() ||
            std::find(rule.egress.begin(), rule.egress.end(), name) != rule.egress.end())
            printField("Warning", coloured(warning, Colour::Yellow));
    for (const auto& sentence : unseenSockets(files.units, unit, rules, running))
        printField("Warning", coloured(sentence, Colour::Yellow));
}

// The rules behind the one that counts. What a drop-in for many units says is merged into the rule of a unit
// with files of its own.
void printOthers(const std::string& unit, const std::vector<CoveringRule>& covering) {
    const auto files = ConfigFiles().files(unit);
    const bool isOfUnitFiles = !isBus(*covering.front().rule) && !isQueueFile(*covering.front().rule) &&
                               covering.front().rule->source != kUserSource;
    for (auto one = covering.begin() + 1; one != covering.end(); ++one) {
        const auto& source = one->rule->source;
        const bool isMerged = isOfUnitFiles && files &&
                              std::any_of(files->begin(), files->end(),
                                          [&](const ConfigText& file) { return file.path == source; });
        if (!isMerged)
            printField("Not used", source + " ('" + one->target + "' covers it, but comes later)");
    }
}

// Returns the name of a unit; of a cgroup that is no unit's, its path.
std::string meantBy(const std::string& name, const UnitRelations& units) {
    if (!name.starts_with('/'))
        return primaryUnit(units, name);
    auto path = cgroupPath(name);
    auto unit = unitOfCgroupPath(path);
    return unit.empty() ? std::move(path) : std::move(unit);
}

} // namespace

Surroundings surroundingsOf(const std::string& name) {
    const auto files = ConfigFiles().read({});
    const auto now = currentRules(files);
    const auto unit = meantBy(name, files.units);
    const auto lineage = lineageOf(unit, files.units);
    const auto has = [&](const std::string& other) { return isGuarded(other, now.rules); };
    Surroundings around;
    around.isCovered = !now.rules.covering(unit).empty();
    std::copy_if(lineage.above.begin(), lineage.above.end(), std::back_inserter(around.above), has);
    std::copy_if(lineage.below.begin(), lineage.below.end(), std::back_inserter(around.below), has);
    return around;
}

Exit explainUnit(const std::string& name) {
    if (!isAnyUnitName(name) && !name.starts_with('/'))
        return noUnit(name);
    const auto files = ConfigFiles().read({});
    const auto unit = meantBy(name, files.units);
    const auto now = currentRules(files);
    const auto& [rules, errors, fromDaemon] = now;
    const auto covering = rules.covering(unit);
    print(coloured(unit, Colour::Bold) + "\n");
    if (unit != name)
        printField("Note", "'" + name + "' is another name of it");
    if (!fromDaemon)
        printField("Note", "filterd does not answer: only the files are considered");
    const auto lineage = lineageOf(unit, files.units);
    if (covering.empty()) {
        const bool isFree = std::none_of(lineage.above.begin(), lineage.above.end(),
                                         [&](const auto& other) { return isGuarded(other, now.rules); });
        printField("Rule", !fromDaemon ? "none in the files; a rule of the bus may be in force"
                           : isFree    ? "none: nothing of filterd's filters it"
                                       : "none of its own");
        printLineage(lineage, rules);
        return Exit::Ok;
    }
    printRule(unit, covering.front(), files.filters, errors);
    printWarnings(unit, *covering.front().rule, rules, files);
    printOthers(unit, covering);
    printLineage(lineage, rules);
    if (fromDaemon)
        printState(unit);
    return Exit::Ok;
}

} // namespace filterd::cli
