// status, reload

#include "base/kernel_command_line.hpp"
#include "cli/failure.hpp"
#include "cli/json.hpp"
#include "cli/terminal.hpp"

namespace filterd::cli {

namespace {

std::string enforcement(const client::Status& status) {
    if (status.enforcing)
        return coloured("yes", Colour::Green);
    const char* why = isBootedOff() ? " (filterd=off on the kernel command line)" : "";
    return coloured("no", Colour::Red) + why + ": nothing is filtered until 'filterctl on'";
}

void printStatus(const client::Status& status) {
    print(coloured("filterd " + status.version, Colour::Bold) + "\n");
    printField("Enforcing", enforcement(status));
    printField("Filters", std::to_string(status.filters));
    printField("Rules", std::to_string(status.rules));
    printField("Guarded units", std::to_string(status.units));
    if (!status.stateSaved)
        printField("Not saved",
                   coloured("rules and references, for want of memory: a restart of filterd would "
                            "lose the latest ones",
                            Colour::Red));
    for (const auto& queue : status.unconfirmed)
        printField("Unconfirmed",
                   queue.target + ": goes back in " +
                       std::to_string(std::chrono::ceil<std::chrono::seconds>(queue.left).count()) +
                       " s unless you call 'filterctl confirm " + queue.target + "'");
    for (const auto& error : status.configurationErrors)
        printField("Broken file", coloured(error, Colour::Red));
}

Exit showStatus(client::Client& client, bool json) {
    const auto status = client.status();
    if (!status)
        return failed(status.error());
    if (json)
        printJson(*status);
    else
        printStatus(*status);
    return Exit::Ok;
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
        invocation.action = [] {
            return withDaemon([](client::Client& client) { return finished(client.reload()); });
        };
    });
}

} // namespace filterd::cli
