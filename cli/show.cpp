// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// list, show

#include "base/text.hpp"
#include "cli/files/changed_files.hpp"
#include "cli/filters/rules.hpp"
#include "cli/packets/counters.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verbs.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>

namespace filterd::cli {

namespace {

std::string orNone(const std::vector<std::string>& names) {
    return names.empty() ? "-" : joined(names, ", ");
}

// ---- list -----------------------------------------------------------------------------------------------

void printTable(const std::vector<client::FilterSummary>& filters) {
    Table table({"FILTER", "DIRECTION", "PROGRAM", "REFERENCES"});
    for (const auto& filter : filters)
        table.add({filter.name, filter.direction, std::to_string(filter.programId),
                   std::to_string(filter.references)});
    table.print("filter", "filters", " loaded");
}

void printTable(const std::vector<client::UnitSummary>& units) {
    Table table({"UNIT", "STATE", "RULE"});
    for (const auto& unit : units)
        table.add({unit.name, {unit.state, colourOfState(unit.state)}, unit.rule});
    table.print("guarded unit", "guarded units", " with a cgroup");
}

std::string whatItDoes(const client::UnitRule& rule) {
    std::string text = rule.queues.onFailure == client::OnFailure::Hold ? "hold" : "pass";
    if (rule.queues.logOnly)
        text += ", log only";
    return rule.error.empty() ? text : text + ", broken";
}

void printTable(const std::vector<client::UnitRule>& rules) {
    Table table({"FOR", "INGRESS", "EGRESS", "ON FAILURE", "SOURCE"});
    for (const auto& rule : rules)
        table.add({joined(rule.targets, " "), orNone(rule.queues.ingress), orNone(rule.queues.egress),
                   whatItDoes(rule), rule.source});
    table.print("unit rule", "unit rules", ", in the order in which they are tried");
}

template<typename T>
Exit printList(const client::Result<std::vector<T>>& list, bool json) {
    if (!list)
        return failed(list.error());
    if (json)
        printJson(*list);
    else
        printTable(*list);
    return Exit::Ok;
}

// Prints what of the files behind the rules is broken, and what is in force for it.
void printFaults(const std::vector<client::UnitRule>& rules) {
    std::set<std::string> told;
    for (const auto& rule : rules) {
        std::istringstream faults(rule.error);
        for (std::string fault; std::getline(faults, fault);)
            if (told.insert(fault).second)
                print("broken: " + coloured(fault, Colour::Red) + "\n");
    }
}

Exit listRules(client::Client& client, bool json) {
    const auto rules = client.unitRules();
    const auto listed = printList(rules, json);
    if (listed == Exit::Ok && !json)
        printFaults(*rules);
    return listed;
}

Exit list(client::Client& client, const std::string& what, bool json) {
    const auto changed = changedFiles(client);
    if (!changed)
        return failed(changed.error());
    if (!changed->empty() && !json)
        complain("note: " + changeText(*changed));
    if (what == "units")
        return printList(client.units(), json);
    if (what == "rules")
        return listRules(client, json);
    return printList(client.filters(), json);
}

// ---- show -----------------------------------------------------------------------------------------------

Exit showFilter(client::Client& client, const std::string& name, bool json) {
    const auto filter = client.filter(name);
    if (!filter)
        return failed(filter.error());
    const auto rules = client.packetRules(name);
    if (!rules && rules.error().name != client::errors::kUnsupported) // as it is of a filter from an object
        return failed(rules.error());
    if (json) {
        nlohmann::json document = *filter;
        if (rules)
            document["packet_rules"] = jsonOf(*rules);
        printJson(document);
        return Exit::Ok;
    }
    std::vector<std::string> holders;
    for (const auto& holder : filter->references)
        holders.push_back(holder.kind + (holder.name.empty() ? "" : " " + holder.name));
    print(coloured(filter->name, Colour::Bold) + "\n");
    printField("Direction", filter->direction);
    printField("Program",
               filter->program + " (id " + std::to_string(filter->programId) + ", tag " + filter->tag + ")");
    printField("Digest", filter->digest);
    printField("Pin", filter->pinPath);
    printField("Maps", orNone(filter->maps));
    printField("Held by", orNone(holders));
    if (rules)
        printRules(*rules);
    return Exit::Ok;
}

void printQueue(const char* label, const std::vector<std::string>& queue, const std::string& mode,
                std::uint32_t program) {
    std::string text = orNone(queue);
    if (program != 0)
        text += " (" + mode + ", program " + std::to_string(program) + ")";
    else if (!mode.empty())
        text += " (" + mode + ")";
    printField(label, text);
}

void printUnit(const client::Unit& unit) {
    print(coloured(unit.name, Colour::Bold) + "\n");
    printField("State", coloured(unit.state, colourOfState(unit.state)) +
                            (unit.error.empty() ? "" : ": " + unit.error));
    printField("Rule", unit.rule);
    printField("Cgroup", unit.controlGroup + " (id " + std::to_string(unit.controlGroupId) + ")");
    printQueue("Ingress", unit.ingressQueue, unit.ingressMode, unit.ingressProgramId);
    printQueue("Egress", unit.egressQueue, unit.egressMode, unit.egressProgramId);
    if (!unit.modeReason.empty())
        printField("Note", unit.modeReason);
}

// A queue of N links counts nothing: that is told, and is no failure.
Exit showUnit(client::Client& client, const std::string& name, bool json) {
    const auto unit = client.unit(name);
    if (!unit)
        return failed(unit.error());
    const auto counters = client.counters(name);
    if (json) {
        nlohmann::json document = *unit;
        document["counters"] = counters ? nlohmann::json(*counters) : nlohmann::json();
        printJson(document);
        return Exit::Ok;
    }
    printUnit(*unit);
    if (!counters)
        printField("Packets", "not known: " + counters.error().message);
    else
        for (const auto& direction : *counters)
            printCounters(direction);
    return Exit::Ok;
}

// A filter's name holds neither dot nor slash; a unit's name or a cgroup's path always does.
bool namesUnit(const std::string& name) { return name.find_first_of("./") != std::string::npos; }

} // namespace

void addShowVerbs(CLI::App& app, Invocation& invocation) {
    auto what = std::make_shared<std::string>("filters");
    auto* listing = app.add_subcommand("list", "List filters, guarded units, or unit rules");
    listing->add_option("WHAT", *what, "'filters', 'units' or 'rules'")
        ->check(CLI::IsMember({"filters", "units", "rules"}))
        ->capture_default_str();
    listing->callback([what, &invocation] {
        invocation.action = [what, &invocation] {
            return withDaemon([&](client::Client& client) { return list(client, *what, invocation.json); });
        };
    });

    auto name = std::make_shared<std::string>();
    auto* showing = app.add_subcommand("show", "Show one filter, or one unit with its counters");
    showing->add_option("NAME", *name, "A filter (port443), a unit (nginx.service) or a cgroup path")
        ->required();
    showing->callback([name, &invocation] {
        invocation.action = [name, &invocation] {
            return withDaemon([&](client::Client& client) {
                return namesUnit(*name) ? showUnit(client, *name, invocation.json)
                                        : showFilter(client, *name, invocation.json);
            });
        };
    });
}

} // namespace filterd::cli
