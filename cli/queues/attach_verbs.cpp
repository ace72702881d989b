// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// attach, detach: one filter more or less in a queue.

#include "cli/queues/confirm.hpp"
#include "cli/queues/set_warnings.hpp"
#include "cli/queues/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/first_packets.hpp"
#include "cli/verb/in_force.hpp"

#include <functional>
#include <memory>

namespace filterd::cli {

namespace {

struct AttachArguments {
    std::string unit;
    std::string direction;
    std::string filter;
    std::string before;
    std::string after;
    bool first = false;
    std::uint32_t confirm = 0;
};

client::Direction directionOf(const AttachArguments& arguments) {
    return arguments.direction == "egress" ? client::Direction::Egress : client::Direction::Ingress;
}

client::Place placeOf(const AttachArguments& arguments) {
    using Where = client::Place::Where;
    if (arguments.first)
        return {Where::First};
    if (!arguments.before.empty())
        return {Where::Before, arguments.before};
    return arguments.after.empty() ? client::Place{} : client::Place{Where::After, arguments.after};
}

// Warnings of a lock-out are of what a queue has more than before.
enum class Edit { Attach, Detach };

// A file's rule is one of the unit's own from now on: that is told, for the file's does not count any more.
void tell(const std::string& from, const AttachArguments& arguments, bool json) {
    if (json) {
        printJson(
            {{"unit", arguments.unit}, {"rule_before", from}, {"confirm_within_seconds", arguments.confirm}});
        return;
    }
    if (from.starts_with('/'))
        print("the queues of " + arguments.unit + " were those of " + from +
              ", and are now its own; 'filterctl queue " + arguments.unit +
              " --reset' returns to the file\n");
    if (arguments.confirm != 0)
        printConfirm(arguments.unit, arguments.confirm, false);
}

Exit edit(Edit kind, const client::Client& client, const AttachArguments& arguments, bool json,
          const std::function<client::Result<std::string>()>& call) {
    const auto before = warningsBefore(client);
    if (!before)
        return failed(before.error());
    const auto from = call();
    if (!from)
        return failed(from.error());
    tell(*from, arguments, json);
    std::vector<std::string> filters;
    if (kind == Edit::Attach && arguments.confirm == 0)
        filters.push_back(arguments.filter);
    return warnOfFirstPackets(client, warnOfRule(client, *before, arguments.unit, filters));
}

CLI::App* addEdit(CLI::App& app, const char* name, const char* description, AttachArguments& arguments) {
    auto* verb = app.add_subcommand(name, description);
    verb->add_option("UNIT", arguments.unit, "A unit, or an absolute cgroup path")->required();
    verb->add_option("DIRECTION", arguments.direction, "'ingress' or 'egress'")
        ->required()
        ->check(CLI::IsMember({"ingress", "egress"}));
    verb->add_option("FILTER", arguments.filter, "The filter's name")->required();
    addConfirm(*verb, arguments.confirm);
    return verb;
}

void addAttach(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<AttachArguments>();
    auto* verb =
        addEdit(app, "attach", "Add one filter to a queue of a unit, by default at its end", *arguments);
    auto* before = verb->add_option("--before", arguments->before, "Before this filter of the queue");
    auto* after = verb->add_option("--after", arguments->after, "Behind this filter of the queue");
    auto* first = verb->add_flag("--first", arguments->first, "Before all others");
    before->excludes(after)->excludes(first)->type_name("FILTER");
    after->excludes(first)->type_name("FILTER");
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments, &invocation] {
            return withDaemonToSet([&](client::Client& client) {
                return edit(Edit::Attach, client, *arguments, invocation.json, [&] {
                    return client.attachFilter(arguments->unit, directionOf(*arguments), arguments->filter,
                                               placeOf(*arguments), std::chrono::seconds(arguments->confirm));
                });
            });
        };
    });
}

void addDetach(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<AttachArguments>();
    auto* verb = addEdit(app, "detach", "Remove one filter from a queue of a unit", *arguments);
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments, &invocation] {
            return withDaemonToSet([&](client::Client& client) {
                return edit(Edit::Detach, client, *arguments, invocation.json, [&] {
                    return client.detachFilter(arguments->unit, directionOf(*arguments), arguments->filter,
                                               std::chrono::seconds(arguments->confirm));
                });
            });
        };
    });
}

} // namespace

void addAttachVerbs(CLI::App& app, Invocation& invocation) {
    addAttach(app, invocation);
    addDetach(app, invocation);
}

} // namespace filterd::cli
