#include "cli/failure.hpp"
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

// The rules as the daemon tries them now, or, without a daemon, as the files have them.
std::vector<filterd::Rule> currentRules(const Configuration& files, bool& fromDaemon) {
    auto client = client::Client::connect();
    const auto rules = client ? client->rules() : tl::unexpected(client.error());
    fromDaemon = rules.has_value();
    if (!rules)
        return files.rules;
    std::vector<filterd::Rule> result;
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
    return result;
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

void printFiles(const std::string& label, const std::string& name) {
    const auto files = ConfigFiles().files(name);
    if (!files)
        printField(label, files.error().message);
    else
        for (const auto& file : *files)
            printField(label, file.path);
}

void printQueue(const std::string& label, const std::vector<FilterName>& queue,
                const Configuration& configuration) {
    for (const auto& filter : queue) {
        printField(label, filter.text());
        printFiles("  defined in", filter.text());
        const auto definition = configuration.filters.define(filter);
        if (!definition && definition.error().code == ErrorCode::BadConfiguration)
            printField("  broken", coloured(definition.error().message, Colour::Red));
    }
}

void printRule(const std::string& unit, const CoveringRule& covering, const Configuration& configuration) {
    const auto& rule = *covering.rule;
    printField("Rule", rule.source);
    printField("Why", whyOf(covering));
    if (isQueueFile(rule))
        printFiles("File", std::filesystem::path(rule.source).filename().string());
    else if (!isBus(rule) && rule.source != kUserSource)
        printFiles("File", unit);
    printQueue("Ingress", rule.ingress, configuration);
    printQueue("Egress", rule.egress, configuration);
    if (rule.ingress.empty() && rule.egress.empty() && rule.broken.empty())
        printField("Filters", "none: the rule exempts the unit");
    if (!rule.broken.empty())
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
    else if (!now && now.error().name == "org.filterd1.Error.NoSuchUnit")
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

} // namespace

bool isCovered(const std::string& name) {
    const auto files = ConfigFiles().read({});
    bool fromDaemon = false;
    const auto rules = currentRules(files, fromDaemon);
    return !rulesCovering(primaryUnit(files.units, name), rules).empty();
}

Exit explainUnit(const std::string& name) {
    if (!isAnyUnitName(name))
        return noUnit(name);
    const auto files = ConfigFiles().read({});
    const auto unit = primaryUnit(files.units, name);
    bool fromDaemon = false;
    const auto rules = currentRules(files, fromDaemon);
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
    printRule(unit, covering.front(), files);
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
