// filterctl: looks at filterd and tells it what to do.

#include "cli/failure.hpp"
#include "cli/terminal.hpp"
#include "cli/verb.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace filterd::cli;

constexpr const char* kFooter =
    "\nExit status: 0 done; 1 refused or failed; 2 wrong usage; 3 no bus, no daemon or no answer.\n"
    "'filterctl VERB --help' explains a verb. See also filterctl(1).";

void describe(CLI::App& app, Invocation& invocation, Destination& destination) {
    app.footer(kFooter);
    app.set_version_flag("--version", "filterctl " FILTERD_VERSION);
    app.add_flag("--json", invocation.json,
                 "Print JSON (list, show, status, why, monitor, watch, get, map, test)");
    auto* host = app.add_option("-H,--host", destination.host, "Ask filterd on [USER@]HOST, over ssh")
                     ->check(notEmpty());
    app.add_option("-M,--machine", destination.machine, "Ask filterd in this container")
        ->excludes(host)
        ->check(notEmpty());
    app.require_subcommand(1);
    app.fallthrough(); // --json after the verb, too
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
            std::fputs(app.help().c_str(), stdout);
            return Exit::Ok;
        };
    });
}

// How many letters have to be changed, added or taken away.
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < one.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < other.size(); ++j) {
            const std::size_t changed = diagonal + (one[i] == other[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

// "; did you mean 'queue'?", if a verb is so near.
std::string nearTo(const CLI::App& app, const std::string& word) {
    std::string nearest;
    std::size_t least = word.size() / 3 + 1;
    for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
        if (const auto far = distance(word, verb->get_name());
            far < least || (far == least && nearest.empty())) {
            nearest = verb->get_name();
            least = far;
        }
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

// What is wrong with the command line, in a sentence.
std::string complaintOf(const CLI::App& app, const CLI::ParseError& error) {
    if (app.get_subcommands().empty())
        for (const auto& word : app.remaining())
            if (!word.starts_with('-'))
                return "there is no verb '" + word + "'" + nearTo(app, word);
    return error.what();
}

// What looks at files, pins or programs of this machine itself.
bool isLocal(const std::string& verb) {
    constexpr std::array<std::string_view, 8> kLocal{"cat", "check", "explain", "mtu",
                                                     "new", "off",   "on",      "test"};
    return std::find(kLocal.begin(), kLocal.end(), verb) != kLocal.end();
}

std::string elsewhere(const std::string& verb, const Destination& destination) {
    return "'" + verb + "' works on the machine alone where it is called; call it there: " +
           (destination.host.empty() ? "systemd-run --quiet --pipe --wait --machine=" + destination.machine
                                     : "ssh " + destination.host) +
           " filterctl " + verb;
}

Exit run(int argc, char** argv) {
    CLI::App app("BPF firewalls for systemd units", "filterctl");
    Invocation invocation;
    Destination destination;
    describe(app, invocation, destination);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return static_cast<Exit>(app.exit(error)); // --help, --version
        if (app.got_subcommand("mtu")) {
            complain(std::string(error.what()) + " (see 'filterctl mtu --help')");
            return Exit::Failed; // what the tool that it stands for ends with
        }
        return misused(complaintOf(app, error) + " (see 'filterctl --help')");
    }
    if (!destination.isHere() && isLocal(app.get_subcommands().front()->get_name()))
        return misused(elsewhere(app.get_subcommands().front()->get_name(), destination));
    setDestination(destination);
    return invocation.action();
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
        return static_cast<int>(printed(run(argc, argv)));
    } catch (const std::exception& error) {
        complain(error.what());
        return static_cast<int>(Exit::Failed);
    }
}
