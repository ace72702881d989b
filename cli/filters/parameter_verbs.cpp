// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// set, get, map

#include "cli/filters/entries_file.hpp"
#include "cli/filters/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/in_force.hpp"
#include "cli/verb/text_file.hpp"

#include <algorithm>
#include <memory>
#include <set>

namespace filterd::cli {

namespace {

struct ParameterArguments {
    std::string filter;
    std::string name;
    std::string key;
    std::string value;
    std::string file;
    std::vector<std::string> assignments;
    std::vector<std::string> names;
    bool save = false;
    bool all = false;
};

using Body = Exit (*)(client::Client&, const ParameterArguments&, bool json);

// A body that changes something, or one that only reads.
enum class Acts { Sets, Reads };

void act(CLI::App& verb, std::shared_ptr<ParameterArguments> arguments, Invocation& invocation, Body body,
         Acts acts) {
    verb.callback([arguments, &invocation, body, acts] {
        invocation.action = [arguments, &invocation, body, acts] {
            const auto call = [&](client::Client& client) {
                return body(client, *arguments, invocation.json);
            };
            return acts == Acts::Sets ? withDaemonToSet(call) : withDaemon(call);
        };
    });
}

// ---- set ------------------------------------------------------------------------------------------------

// A saved value comes before the file's, for ever: that is told.
Exit tellOverrides(client::Client& client, const ParameterArguments& arguments) {
    const auto saved = client.savedParameters(arguments.filter);
    if (!saved)
        return failed(saved.error());
    for (const auto& one : *saved)
        if (one.inFile && *one.inFile != one.value &&
            std::any_of(arguments.assignments.begin(), arguments.assignments.end(),
                        [&](const auto& assignment) { return assignment.starts_with(one.name + "="); }))
            complain("saved; it comes before '" + one.name + "=" + *one.inFile +
                     "' of the filter's file until 'filterctl unset " + arguments.filter + " " + one.name +
                     "'");
    return Exit::Ok;
}

bool isPortList(const client::Parameter& one) {
    return one.type.find("ports and ranges") != std::string::npos;
}

// A filter of which every list of ports is empty is surely not what was meant, as in a file.
void warnOfEmptyLists(const client::Client& client, const std::string& filter) {
    const auto parameters = client.parameters(filter);
    if (!parameters || std::none_of(parameters->begin(), parameters->end(), isPortList))
        return;
    if (std::all_of(parameters->begin(), parameters->end(),
                    [](const auto& one) { return !isPortList(one) || one.value.empty(); }))
        complain("warning: every list of ports of filter '" + filter + "' is empty now");
}

Exit set(client::Client& client, const ParameterArguments& arguments, bool) {
    for (const auto& assignment : arguments.assignments)
        if (assignment.find('=') == std::string::npos || assignment.front() == '=')
            return misused("'" + assignment + "' is not NAME=VALUE");
    std::set<std::string> names;
    for (const auto& assignment : arguments.assignments)
        if (const auto name = assignment.substr(0, assignment.find('=')); !names.insert(name).second)
            return misused("'" + name + "' is given twice: give it once, with all that it is to have");
    for (const auto& assignment : arguments.assignments) {
        const auto equals = assignment.find('=');
        const auto done = client.setParameter(arguments.filter, assignment.substr(0, equals),
                                              assignment.substr(equals + 1), arguments.save);
        if (!done)
            return failed(done.error());
    }
    warnOfEmptyLists(client, arguments.filter);
    return arguments.save ? tellOverrides(client, arguments) : Exit::Ok;
}

// ---- unset ----------------------------------------------------------------------------------------------

// Says what is in force now, if the filter is loaded.
std::string afterwards(client::Client& client, const std::string& filter, const std::string& name,
                       const std::vector<client::SavedParameter>& before) {
    const auto value = client.parameter(filter, name);
    if (!value)
        return {};
    const bool isInFile = std::any_of(before.begin(), before.end(),
                                      [&](const auto& one) { return one.name == name && one.inFile; });
    return "; '" + *value + "' is in force" +
           (isInFile ? ", as its file says" : " until the filter is loaded again or the parameter set");
}

Exit unset(client::Client& client, const ParameterArguments& arguments, bool json) {
    if (arguments.names.empty() != arguments.all)
        return misused("give the NAMEs whose saved values shall be removed, or --all");
    const auto before = client.savedParameters(arguments.filter);
    if (!before && before.error().name != client::errors::kNoSuchFilter)
        return failed(before.error());
    const auto removed = client.unsetParameters(arguments.filter, arguments.names);
    if (!removed)
        return failed(removed.error());
    if (json) {
        printJson({{"filter", arguments.filter}, {"removed", *removed}});
        return Exit::Ok;
    }
    if (removed->empty())
        print("nothing is saved for " + arguments.filter + "\n");
    for (const auto& name : *removed)
        print(name + ": not saved any more" +
              afterwards(client, arguments.filter, name,
                         before.value_or(std::vector<client::SavedParameter>())) +
              "\n");
    return Exit::Ok;
}

// ---- get ------------------------------------------------------------------------------------------------

using Saved = std::vector<client::SavedParameter>;

const client::SavedParameter* find(const Saved& saved, const std::string& name) {
    const auto found =
        std::find_if(saved.begin(), saved.end(), [&](const auto& one) { return one.name == name; });
    return found == saved.end() ? nullptr : &*found;
}

// "saved", "saved, file says 80", "22 is saved, file says 80"
std::string savedText(const client::SavedParameter* saved, const std::string& value) {
    if (saved == nullptr)
        return "-";
    return (saved->value == value ? "saved" : saved->value + " is saved") +
           (saved->inFile && *saved->inFile != saved->value ? ", file says " + *saved->inFile : "");
}

void addSaved(nlohmann::json& to, const client::SavedParameter* saved) {
    to["saved"] = saved == nullptr ? nlohmann::json() : nlohmann::json(saved->value);
    to["in_file"] = saved == nullptr || !saved->inFile ? nlohmann::json() : nlohmann::json(*saved->inFile);
}

nlohmann::json parameterJson(const client::Parameter& parameter, const client::SavedParameter* saved) {
    nlohmann::json one{{"name", parameter.name},
                       {"value", parameter.value},
                       {"settable", parameter.live ? "live" : "load"},
                       {"type", parameter.type}};
    addSaved(one, saved);
    return one;
}

// A map is no parameter; the entries that are saved for one are told all the same.
std::vector<client::Parameter> withSavedMaps(std::vector<client::Parameter> parameters, const Saved& saved) {
    for (const auto& one : saved)
        if (std::none_of(parameters.begin(), parameters.end(),
                         [&](const auto& parameter) { return parameter.name == one.name; }))
            parameters.push_back({one.name, "the entries of a map", one.value, true});
    return parameters;
}

Exit getAll(client::Client& client, const ParameterArguments& arguments, bool json) {
    const auto parameters = client.parameters(arguments.filter);
    if (!parameters)
        return failed(parameters.error());
    const auto saved = client.savedParameters(arguments.filter);
    if (!saved)
        return failed(saved.error());
    Table table({"NAME", "VALUE", "SET", "TAKES", "SAVED"});
    auto list = nlohmann::json::array();
    for (const auto& parameter : withSavedMaps(*parameters, *saved)) {
        const auto* kept = find(*saved, parameter.name);
        table.add({parameter.name, parameter.value, parameter.live ? "live" : "load", parameter.type,
                   savedText(kept, parameter.value)});
        list.push_back(parameterJson(parameter, kept));
    }
    json ? printJson(list) : table.print("parameter", "parameters");
    return Exit::Ok;
}

Exit get(client::Client& client, const ParameterArguments& arguments, bool json) {
    if (arguments.name.empty())
        return getAll(client, arguments, json);
    const auto value = client.parameter(arguments.filter, arguments.name);
    if (!value)
        return failed(value.error());
    const auto saved = client.savedParameters(arguments.filter);
    if (!saved)
        return failed(saved.error());
    const auto* kept = find(*saved, arguments.name);
    if (json) {
        nlohmann::json document{{"name", arguments.name}, {"value", *value}};
        addSaved(document, kept);
        printJson(document);
        return Exit::Ok;
    }
    print(*value + "\n");
    if (kept != nullptr && (kept->value != *value || (kept->inFile && *kept->inFile != *value)))
        complain("note: " + savedText(kept, *value));
    return Exit::Ok;
}

// ---- map ------------------------------------------------------------------------------------------------

Exit dump(client::Client& client, const ParameterArguments& arguments, bool json) {
    const auto entries = client.mapEntries(arguments.filter, arguments.name);
    if (!entries)
        return failed(entries.error());
    Table table({"KEY", "VALUE"});
    auto list = nlohmann::json::array();
    for (const auto& entry : *entries) {
        table.add({entry.key, entry.value});
        list.push_back({{"key", entry.key}, {"value", entry.value}});
    }
    json ? printJson(list) : table.print("entry", "entries");
    return Exit::Ok;
}

Exit lookup(client::Client& client, const ParameterArguments& arguments, bool json) {
    const auto value = client.mapEntry(arguments.filter, arguments.name, arguments.key);
    if (!value)
        return failed(value.error());
    json ? printJson({{"key", arguments.key}, {"value", *value}}) : print(*value + "\n");
    return Exit::Ok;
}

Exit update(client::Client& client, const ParameterArguments& arguments, bool) {
    return finished(client.updateMap(arguments.filter, arguments.name, {arguments.key, arguments.value}));
}

Exit remove(client::Client& client, const ParameterArguments& arguments, bool) {
    return finished(client.deleteFromMap(arguments.filter, arguments.name, arguments.key));
}

// One key can be written in several ways (80 and 0x50): of these the last counts.
void warnOfLostEntries(const client::Client& client, const ParameterArguments& arguments,
                       const GivenEntries& given) {
    const auto now = client.mapEntries(arguments.filter, arguments.name);
    if (now && now->size() < given.entries.size())
        complain("warning: " + given.file + ": its " + std::to_string(given.entries.size()) +
                 " entries make " + std::to_string(now->size()) +
                 ", since some of their keys are one key written in two ways, of which the last counts");
}

Exit replace(client::Client& client, const ParameterArguments& arguments, bool) {
    const auto text = readTextFile(arguments.file, "entries");
    if (!text)
        return failed(text.error());
    const auto given = parseEntriesFile(arguments.file, *text);
    if (!given)
        return failed(given.error());
    if (const auto done = client.setParameter(arguments.filter, arguments.name, given->text); !done)
        return failed(inFile(*given, done.error()));
    warnOfLostEntries(client, arguments, *given);
    return Exit::Ok;
}

void addMap(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<ParameterArguments>();
    auto* verb = app.add_subcommand("map", "Look at the entries of a filter's map, and change them");
    verb->add_option("FILTER", arguments->filter, "The filter's name")->required();
    verb->add_option("MAP", arguments->name, "The map's name, as in the filter's source")->required();
    verb->require_subcommand(1);
    const auto addAction = [&](const char* name, const char* what, bool value, Body body) {
        auto* action = verb->add_subcommand(name, what);
        if (body == replace)
            action->add_option("FILE", arguments->file, "KEY=VALUE, one on a line; '-' is standard input")
                ->required();
        else if (body != dump)
            action
                ->add_option("KEY", arguments->key, "The entry's key: 192.0.2.0/24, 443, /api/, example.org")
                ->required();
        if (value)
            action->add_option("VALUE", arguments->value, "The entry's value")->required();
        act(*action, arguments, invocation, body, body == dump || body == lookup ? Acts::Reads : Acts::Sets);
    };
    addAction("dump", "Show every entry", false, dump);
    addAction("lookup", "Show one entry", false, lookup);
    addAction("update", "Add an entry, or replace it", true, update);
    addAction("delete", "Take an entry away", false, remove);
    addAction("replace", "Set all entries to those of a file", false, replace);
}

} // namespace

void addParameterVerbs(CLI::App& app, Invocation& invocation) {
    auto setting = std::make_shared<ParameterArguments>();
    auto* setter =
        app.add_subcommand("set", "Set parameters of a loaded filter; they count for the next packet");
    setter->add_option("FILTER", setting->filter, "The filter's name")->required();
    // A name with '=' in it would not do for every version of CLI11.
    setter->add_option("ASSIGNMENT", setting->assignments, "NAME=VALUE; a map's name sets all its entries")
        ->required();
    setter->add_flag("--save", setting->save,
                     "Keep them over a reboot, before what the filter's file states, until 'unset'");
    act(*setter, setting, invocation, set, Acts::Sets);

    auto unsetting = std::make_shared<ParameterArguments>();
    auto* remover = app.add_subcommand("unset", "Remove values that 'set --save' has saved");
    remover->add_option("FILTER", unsetting->filter, "The filter's name; it need not be loaded")->required();
    remover->add_option("NAME", unsetting->names, "Parameters, or maps");
    remover->add_flag("--all", unsetting->all, "Every saved value of the filter");
    act(*remover, unsetting, invocation, unset, Acts::Sets);

    auto getting = std::make_shared<ParameterArguments>();
    auto* getter = app.add_subcommand("get", "Show the parameters of a loaded filter, or the value of one");
    getter->add_option("FILTER", getting->filter, "The filter's name")->required();
    getter->add_option("NAME", getting->name, "Only this one; a map's name shows all its entries");
    act(*getter, getting, invocation, get, Acts::Reads);

    addMap(app, invocation);
}

} // namespace filterd::cli
