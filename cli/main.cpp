// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterctl: looks at filterd and tells it what to do.

#include "cli/files/verbs.hpp"
#include "cli/filters/verbs.hpp"
#include "cli/packets/verbs.hpp"
#include "cli/queues/verbs.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/filter_words.hpp"
#include "cli/verb/usage.hpp"
#include "cli/verb/verb_traits.hpp"
#include "cli/verbs.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace filterd::cli;

constexpr const char* kFooter =
    "\nExit status: 0 done; 1 refused or failed; 2 wrong usage; 3 no bus, no daemon or no answer.\n"
    "'filterctl VERB --help' explains a verb. See also filterctl(1).";

// The options that every verb takes, before it or behind it.
void describeOptions(CLI::App& app, Invocation& invocation, Destination& destination, TableStyle& style) {
    app.footer(kFooter);
    app.set_version_flag("--version", "filterctl " FILTERD_VERSION);
    app.add_flag("--json", invocation.json, "Print JSON");
    app.add_flag("-l,--full", style.full, "Shorten nothing in tables");
    auto* legend = app.add_flag_callback(
        "--legend", [&style] { style.legend = true; },
        "Print the heading and the total of a table, also into a pipe");
    app.add_flag_callback(
           "--no-legend", [&style] { style.legend = false; }, "Print neither of them")
        ->excludes(legend);
    app.add_flag_callback(
        "--no-ask-password", [&destination] { destination.asksForPassword = false; },
        "Do not have the user asked for a password");
    auto* host = app.add_option("-H,--host", destination.host, "Ask filterd on [USER@]HOST, over ssh")
                     ->check(notEmpty());
    app.add_option("-M,--machine", destination.machine, "Ask filterd in this container")
        ->excludes(host)
        ->check(notEmpty());
    app.require_subcommand(0, 1);
    app.fallthrough(); // --json after the verb, too
}

void describeVerbs(CLI::App& app, Invocation& invocation) {
    addShowVerbs(app, invocation);
    addDaemonVerbs(app, invocation);
    addFilterVerbs(app, invocation);
    addNewVerb(app, invocation);
    addQueueVerbs(app, invocation);
    addAttachVerbs(app, invocation);
    addParameterVerbs(app, invocation);
    addTuneVerb(app, invocation);
    addMtuVerb(app, invocation);
    addMonitorVerb(app, invocation);
    addWhyVerb(app, invocation);
    addCaptureVerb(app, invocation);
    addMetricsVerb(app, invocation);
    addTestVerb(app, invocation);
    addWatchVerb(app, invocation);
    addFileVerbs(app, invocation);
    addUnitVerbs(app, invocation);
    addSwitchVerbs(app, invocation);
    app.add_subcommand("help", "Show this help")->callback([&app, &invocation] {
        invocation.action = [&app] {
            // app.help() would be that of the verb given, which is this one.
            const auto help =
                app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal);
            std::fputs(help.c_str(), stdout);
            return Exit::Ok;
        };
    });
}

std::string elsewhere(const std::string& verb, const Destination& destination) {
    return "'" + verb + "' works on the local machine only; run it there: " +
           (destination.host.empty() ? "systemd-run --quiet --pipe --wait --machine=" + destination.machine
                                     : "ssh " + destination.host) +
           " filterctl " + verb;
}

// Returns what does not go together with the verb.
std::string contradiction(const std::string& verb, const Invocation& invocation,
                          const Destination& destination) {
    const auto& traits = traitsOf(verb);
    if (invocation.json && traits.json == JsonUse::Refuses)
        return "'" + verb + "' has no JSON to print: " + std::string(traits.output);
    if (!destination.isHere() && traits.isLocal)
        return elsewhere(verb, destination);
    return {};
}

// Empty if none is given.
std::string verbOf(const CLI::App& app) {
    const auto verbs = app.get_subcommands();
    return verbs.empty() ? std::string() : verbs.front()->get_name();
}

Exit misusedVerb(const std::string& verb, const std::string& message) {
    const auto exit = misused(message + " (see 'filterctl " + (verb.empty() ? "" : verb + " ") + "--help')");
    return verb == "mtu" ? Exit::Failed : exit; // as the tool that it stands for
}

Exit run(const std::vector<std::string>& arguments) {
    if (const auto fault = complaintOfText(arguments); !fault.empty())
        return misused(fault);
    CLI::App app("BPF firewalls for systemd units", "filterctl");
    Invocation invocation;
    Destination destination;
    TableStyle style;
    describeOptions(app, invocation, destination, style);
    describeVerbs(app, invocation);
    try {
        auto words = joinLists(arguments);
        std::reverse(words.begin(), words.end()); // as CLI11 takes them
        app.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return static_cast<Exit>(app.exit(error)); // --help, --version
        return misusedVerb(verbOf(app), complaintOf(app, error));
    }
    const auto verb = verbOf(app);
    if (const auto fault = contradiction(verb, invocation, destination); !fault.empty())
        return misusedVerb(verb, fault);
    destination.mayAsk = traitsOf(verb).mayAsk;
    setDestination(destination);
    setTableStyle(style);
    return verb.empty() ? showOverview(app, invocation.json) : invocation.action();
}

// What could not be printed is a failure, too: of a full disk, say.
Exit printed(Exit exit) {
    if (flush() || exit != Exit::Ok)
        return exit;
    complain(std::string("cannot write what was to be printed: ") + std::strerror(outputError()));
    return Exit::Failed;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return static_cast<int>(printed(run({argv + 1, argv + argc})));
    } catch (const std::exception& error) {
        complain(error.what());
        return static_cast<int>(Exit::Failed);
    }
}
