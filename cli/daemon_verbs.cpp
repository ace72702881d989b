// status, reload

#include "base/kernel_command_line.hpp"
#include "cli/failure.hpp"
#include "cli/first_packets.hpp"
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

// Units that are not filtered as their rule says.
client::Result<std::vector<client::Unit>> unitsInTrouble(const client::Client& client) {
    const auto all = client.units();
    if (!all)
        return tl::unexpected(all.error());
    std::vector<client::Unit> result;
    for (const auto& summary : *all) {
        if (summary.state == "attached")
            continue;
        auto unit = client.unit(summary.name); // none: it has just ended
        if (unit && unit->state != "attached")
            result.push_back(std::move(*unit));
    }
    return result;
}

void printStatus(const client::Status& status, const std::vector<client::Unit>& troubled) {
    print(coloured("filterd " + status.version, Colour::Bold) + "\n");
    printField("Enforcing", enforcement(status));
    printField("Filters", std::to_string(status.filters));
    printField("Rules", std::to_string(status.rules));
    printField("Guarded units", std::to_string(status.units));
    if (const auto warning = firstPacketsWarning(status))
        printField("First packets", coloured(*warning, Colour::Yellow));
    else if (!status.guardReason.empty())
        printField("Guard",
                   coloured(status.guardReason.substr(0, status.guardReason.find('\n')), Colour::Yellow));
    for (const auto& unit : troubled)
        printField(unit.state == "held" ? "Held" : "Failed",
                   coloured(unit.name, colourOfState(unit.state)) + ": " + unit.error);
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
    for (const auto& warning : status.configurationWarnings)
        printField("Warning", coloured(warning, Colour::Yellow));
}

Exit showStatus(client::Client& client, bool json) {
    const auto status = client.status();
    if (!status)
        return failed(status.error());
    const auto troubled = unitsInTrouble(client);
    if (!troubled)
        return failed(troubled.error());
    if (json) {
        nlohmann::json document = *status;
        document["units_in_trouble"] = nlohmann::json::array();
        for (const auto& unit : *troubled)
            document["units_in_trouble"].push_back(
                {{"name", unit.name}, {"state", unit.state}, {"error", unit.error}});
        printJson(document);
    } else {
        printStatus(*status, *troubled);
    }
    return Exit::Ok;
}

// What is in force, and does not do what it looks like, is told whether or not a file is broken.
Exit reloadFiles(client::Client& client) {
    const auto done = client.reload();
    if (const auto status = client.status())
        for (const auto& warning : status->configurationWarnings)
            complain("warning: " + warning);
    return warnOfFirstPackets(client, finished(done));
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
    reload->callback([&invocation] { invocation.action = [] { return withDaemon(reloadFiles); }; });
}

} // namespace filterd::cli
