// filterctl: looks at filterd and tells it what to do.

#include "cli/failure.hpp"
#include "cli/verb.hpp"

#include <exception>

namespace {

using namespace filterd::cli;

constexpr const char* kFooter =
    "\nExit status: 0 done; 1 refused or failed; 2 wrong usage; 3 no bus, no daemon or no answer.\n"
    "'filterctl VERB --help' explains a verb. See also filterctl(1).";

void describe(CLI::App& app, Invocation& invocation) {
    app.footer(kFooter);
    app.set_version_flag("--version", "filterctl " FILTERD_VERSION);
    app.add_flag("--json", invocation.json, "Print JSON (list, show, status, why, monitor, get, map, test)");
    app.require_subcommand(1);
    app.fallthrough(); // --json after the verb, too
    addShowVerbs(app, invocation);
    addDaemonVerbs(app, invocation);
    addFilterVerbs(app, invocation);
    addNewVerb(app, invocation);
    addQueueVerbs(app, invocation);
    addParameterVerbs(app, invocation);
    addTuneVerb(app, invocation);
    addMtuVerb(app, invocation);
    addMonitorVerb(app, invocation);
    addWhyVerb(app, invocation);
    addCaptureVerb(app, invocation);
    addTestVerb(app, invocation);
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

Exit run(int argc, char** argv) {
    CLI::App app("BPF firewalls for systemd units", "filterctl");
    Invocation invocation;
    describe(app, invocation);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return static_cast<Exit>(app.exit(error)); // --help, --version
        if (app.got_subcommand("mtu")) {
            complain(std::string(error.what()) + " (see 'filterctl mtu --help')");
            return Exit::Failed; // what the tool that it stands for ends with
        }
        return misused(std::string(error.what()) + " (see 'filterctl --help')");
    }
    return invocation.action();
}

} // namespace

int main(int argc, char** argv) {
    try {
        return static_cast<int>(run(argc, argv));
    } catch (const std::exception& error) {
        complain(error.what());
        return static_cast<int>(Exit::Failed);
    }
}
