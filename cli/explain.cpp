#include "cli/failure.hpp"
#include "cli/file_faults.hpp"
#include "cli/terminal.hpp"
#include "core/configuration_check.hpp"
#include "edge/host/config_files.hpp"

#include <algorithm>
#include <filesystem>

namespace filterd::cli {

namespace {

std::vector<FilterName> parseNames(const std::vector<std::string>& texts) {
    std::vector<FilterName> names;
    for (const auto& text : texts)
        if (auto name = FilterName::parse(text))
            names.push_back(std::move(*name));
    return names;
}

struct InForce {
    std::vector<filterd::Rule> rules;
    std::vector<std::string> errors; // of files
    bool fromDaemon = false;
};

// As the daemon has it now, or, without a daemon, as the files do.
InForce currentRules(const Configuration& files) {
    auto client = client::Client::connect();
    const auto rules = client ? client->rules() : tl::unexpected(client.error());
    const auto status = client ? client->status() : tl::unexpected(client.error());
    if (!rules || !status)
        return {files.rules, files.errors};
    InForce now{{}, status->configurationErrors, true};
    auto& result = now.rules;
    for (const auto& rule : *rules) {
        filterd::Rule one{.source = rule.source,
                          .targets = rule.targets,
                          .ingress = parseNames(rule.queues.ingress),
                          .egress = parseNames(rule.queues.egress)};
        one.onFailure = rule.queues.onFailure == client::OnFailure::Pass ? OnFailure::Pass : OnFailure::Hold;
        one.logOnly = rule.queues.logOnly;
        one.broken = rule.error;
        result.push_back(std::move(one));
    }
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
    if (!files) {
        printField(label, files.error().message);
        return;
    }
    for (const auto& file : *files)
        printField(label, file.path);
    for (const auto& error : faultsOf(name, errors))
        printField("Broken", coloured(error, Colour::Red));
}

void printQueue(const std::string& label, const std::vector<FilterName>& queue,
                const std::vector<std::string>& errors) {
    for (const auto& filter : queue) {
        printField(label, filter.text());
        printFiles("  defined in", filter.text(), errors);
    }
}

void printRule(const std::string& unit, const CoveringRule& covering,
               const std::vector<std::string>& errors) {
    const auto& rule = *covering.rule;
    printField("Rule", rule.source);
    printField("Why", whyOf(covering));
    if (isQueueFile(rule))
        printFiles("File", std::filesystem::path(rule.source).filename().string(), errors);
    else if (!isBus(rule) && rule.source != kUserSource)
        printFiles("File", unit, errors);
    printQueue("Ingress", rule.ingress, errors);
    printQueue("Egress", rule.egress, errors);
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

// Of a cgroup that is no unit's, its path.
std::string meantBy(const std::string& name, const UnitRelations& units) {
    if (!name.starts_with('/'))
        return primaryUnit(units, name);
    auto path = cgroupPath(name);
    auto unit = unitOfCgroupPath(path);
    return unit.empty() ? std::move(path) : std::move(unit);
}

} // namespace

bool isCovered(const std::string& name) {
    const auto files = ConfigFiles().read({});
    const auto now = currentRules(files);
    return !rulesCovering(meantBy(name, files.units), now.rules).empty();
}

Exit explainUnit(const std::string& name) {
    if (!isAnyUnitName(name) && !name.starts_with('/'))
        return noUnit(name);
    const auto files = ConfigFiles().read({});
    const auto unit = meantBy(name, files.units);
    const auto now = currentRules(files);
    const auto& [rules, errors, fromDaemon] = now;
    const auto covering = rulesCovering(unit, rules);
    print(coloured(unit, Colour::Bold) + "\n");
    if (unit != name)
        printField("Note", "'" + name + "' is another name of it");
    if (!fromDaemon)
        printField("Note", "filterd does not answer: only the files are considered");
    if (covering.empty()) {
        printField("Rule", fromDaemon ? "none: nothing of filterd's filters it"
                                      : "none in the files; a rule of the bus may be in force");
        return Exit::Ok;
    }
    printRule(unit, covering.front(), errors);
    for (const auto& socket : unguardedSockets(files.units, unit, rules))
        printField("Warning",
                   coloured("no rule covers " + socket + ", whose sockets are handed to it: guard that, too",
                            Colour::Yellow));
    for (std::size_t i = 1; i < covering.size(); ++i)
        printField("Not used",
                   covering[i].rule->source + " ('" + covering[i].target + "' covers it, but comes later)");
    if (fromDaemon)
        printState(unit);
    return Exit::Ok;
}

} // namespace filterd::cli
