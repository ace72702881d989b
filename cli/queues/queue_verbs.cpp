// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// queue, confirm

#include "cli/queues/confirm.hpp"
#include "cli/queues/set_warnings.hpp"
#include "cli/queues/verbs.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/filter_words.hpp"
#include "cli/verb/first_packets.hpp"
#include "cli/verb/in_force.hpp"

#include <algorithm>
#include <memory>

namespace filterd::cli {

namespace {

struct QueueArguments {
    std::string unit;
    std::vector<std::string> ingress;
    std::vector<std::string> egress;
    std::string onFailure; // empty: not said
    bool logOnly = false;
    bool reset = false;
    std::uint32_t confirm = 0; // seconds; 0: for good
};

client::Queues queuesOf(const QueueArguments& arguments) {
    client::Queues queues{
        filterNames(arguments.ingress), filterNames(arguments.egress), {}, arguments.logOnly};
    if (!arguments.onFailure.empty())
        queues.onFailure = arguments.onFailure == "pass" ? client::OnFailure::Pass : client::OnFailure::Hold;
    return queues;
}

Exit set(client::Client& client, const QueueArguments& arguments, bool json) {
    const auto before = warningsBefore(client);
    if (!before)
        return failed(before.error());
    const bool isTrial = arguments.confirm != 0;
    const auto done = !isTrial ? client.setQueue(arguments.unit, queuesOf(arguments))
                               : client.setQueue(arguments.unit, queuesOf(arguments),
                                                 std::chrono::seconds(arguments.confirm));
    if (!done)
        return failed(done.error());
    auto [filters, egress, onFailure, logOnly] = queuesOf(arguments);
    filters.insert(filters.end(), egress.begin(), egress.end());
    if (isTrial || logOnly)
        filters.clear();
    const auto warned = warnOfRule(client, *before, arguments.unit, filters);
    if (isTrial) // in any case: it is set, and will be reverted
        printConfirm(arguments.unit, arguments.confirm, json);
    return warned;
}

void requireNames(const std::string& list) {
    if (!lacksAName(list))
        return;
    const bool isBlank = list.find_first_not_of(" \t") == std::string::npos;
    throw CLI::ValidationError(
        "queue", isBlank ? "--ingress and --egress take names of filters, and '' for an empty queue; a "
                           "variable may be empty"
                         : "a filter's name, or a port of a list, is missing beside a comma of '" + list +
                               "': write it, or take the comma out; a variable may be empty");
}

void addConfirmVerb(CLI::App& app, Invocation& invocation) {
    auto unit = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("confirm", "Keep the queues that 'queue --confirm' has set");
    verb->add_option("UNIT", *unit, "The same unit, glob or path")->required();
    verb->callback([unit, &invocation] {
        invocation.action = [unit] {
            return withDaemonToSet(
                [&](client::Client& client) { return finished(client.confirmQueue(*unit)); });
        };
    });
}

} // namespace

void addQueueVerbs(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<QueueArguments>();
    auto* verb =
        app.add_subcommand("queue", "Set or reset the queues of a unit; running units change at once");
    verb->add_option("UNIT", arguments->unit, "A unit, a glob over unit names, or a cgroup path")->required();
    auto* ingress = verb->add_option("-i,--ingress,--in", arguments->ingress,
                                     "Filters for incoming packets, in order: A,B or A B; '' for none");
    auto* egress = verb->add_option("-e,--egress,--out", arguments->egress, "Filters for outgoing packets");
    auto* reset = verb->add_flag("--reset", arguments->reset, "Take back what was set for exactly this UNIT");
    auto* onFailure = verb->add_option("--on-failure", arguments->onFailure,
                                       "While a queue cannot be built: 'hold' drops, 'pass' lets through")
                          ->check(CLI::IsMember({"hold", "pass"}))
                          ->default_str("hold");
    for (auto* option : {ingress, egress})
        option->allow_extra_args(false)->excludes(reset)->type_name("FILTER[,FILTER...]");
    onFailure->excludes(reset);
    verb->add_flag("--log-only", arguments->logOnly, "Drop nothing, but count what would have been dropped")
        ->excludes(reset);
    addConfirm(*verb, arguments->confirm)->excludes(reset);
    addConfirmVerb(app, invocation);
    verb->callback([=, &invocation] {
        if (!arguments->reset && ingress->count() + egress->count() == 0)
            throw CLI::ValidationError("queue", "give --ingress, --egress or --reset; 'filterctl show " +
                                                    arguments->unit + "' shows what is in force");
        for (const auto* lists : {&arguments->ingress, &arguments->egress})
            std::for_each(lists->begin(), lists->end(), requireNames);
        invocation.action = [arguments, &invocation] {
            return withDaemonToSet([&](client::Client& client) {
                return arguments->reset
                           ? finished(client.resetQueue(arguments->unit))
                           : warnOfFirstPackets(client, set(client, *arguments, invocation.json));
            });
        };
    });
}

} // namespace filterd::cli
