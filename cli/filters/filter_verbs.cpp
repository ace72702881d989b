// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// load, unload, acquire, release

#include "cli/filters/rules.hpp"
#include "cli/filters/verbs.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/in_force.hpp"
#include "core/ebpf/builtin.hpp"

#include <csignal>
#include <memory>

namespace filterd::cli {

namespace {

struct LoadArguments {
    std::string name;
    std::string object;
    client::LoadOptions options;
    RulesArguments rules;
};

struct ReferenceArguments {
    std::string name;
    std::string unit;
};

void blockEnd(sigset_t& signals) {
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
}

// A reference of this process: it lasts as long as the process does.
Exit hold(client::Client& client, const std::string& name) {
    sigset_t signals;
    blockEnd(signals);
    auto reference = client.acquire(name);
    if (!reference)
        return failed(reference.error());
    if (isTerminal())
        print("holding " + name + " until Ctrl-C\n");
    int signal = 0;
    sigwait(&signals, &signal);
    // It ends with this process in any case: over ssh Ctrl-C has ended the connection, and it, already.
    static_cast<void>(reference->release());
    return Exit::Ok;
}

Exit load(client::Client& client, const LoadArguments& arguments) {
    if (arguments.object.starts_with(kBuiltinPrefix))
        return finished(client.loadFromPath(arguments.name, arguments.object, arguments.options));
    if (!arguments.rules.given())
        return finished(client.load(arguments.name, arguments.object, arguments.options));
    const auto rules = readRules(arguments.rules);
    if (!rules)
        return failed(rules.error());
    for (const auto& note : notesOn(*rules))
        complain("warning: " + note);
    const auto loaded = client.loadPacketRules(arguments.name, rules->rules, arguments.options);
    return loaded ? Exit::Ok : failed(inFile(*rules, loaded.error()));
}

void addLoad(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<LoadArguments>();
    auto* verb = app.add_subcommand(
        "load", "Load a filter from a BPF object or from packet rules; it stays until 'unload'");
    verb->add_option("NAME", arguments->name, "The filter's name: A-Z a-z 0-9 _ : @ -")->required();
    verb->add_option("OBJECT", arguments->object,
                     "An ELF object with a cgroup_skb program, or builtin:drop, builtin:pass, builtin:mtu");
    verb->add_option("-p,--program", arguments->options.program,
                     "Which program of the object, if it holds several");
    verb->add_flag("--replace", arguments->options.replace,
                   "Replace other content loaded under this name, in every queue that holds it");
    addRulesOptions(*verb, arguments->rules);
    verb->callback([arguments, &invocation] {
        if (arguments->object.empty() != arguments->rules.given())
            throw CLI::ValidationError("load", "give either an OBJECT, or --rules or --expr");
        if (arguments->rules.given() && !arguments->options.program.empty())
            throw CLI::ValidationError("--program",
                                       "packet rules are one program: it is for an OBJECT alone");
        if (!arguments->rules.given() && arguments->rules.verdictsGiven())
            throw CLI::ValidationError(
                "load", "--default and --unparsable are of --rules and --expr, not of an OBJECT");
        invocation.action = [arguments] {
            return withDaemonToSet([&](client::Client& client) { return load(client, *arguments); });
        };
    });
}

// Where others need it, what its file defines has taken its place.
Exit unload(client::Client& client, const std::string& name) {
    if (const auto done = client.unload(name); !done)
        return failed(done.error());
    if (const auto now = client.filter(name); now && now->fromFile)
        complain("note: '" + name + "' is in use, and is now what its file defines");
    return Exit::Ok;
}

void addUnload(CLI::App& app, Invocation& invocation) {
    auto name = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("unload", "Unload a filter that nobody uses any more");
    verb->add_option("NAME", *name, "The filter's name")->required();
    verb->callback([name, &invocation] {
        invocation.action = [name] {
            return withDaemon([&](client::Client& client) { return unload(client, *name); });
        };
    });
}

void addAcquire(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<ReferenceArguments>();
    auto* verb = app.add_subcommand(
        "acquire", "Keep a filter loaded: for a unit while it runs, or until this command is interrupted");
    verb->add_option("NAME", arguments->name, "The filter's name")->required();
    verb->add_option("-u,--unit", arguments->unit, "The unit that needs it; returns at once")
        ->check(notEmpty());
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments] {
            return withDaemon([&](client::Client& client) {
                if (arguments->unit.empty())
                    return hold(client, arguments->name);
                return finished(client.acquireForUnit(arguments->name, arguments->unit));
            });
        };
    });
}

void addRelease(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<ReferenceArguments>();
    auto* verb = app.add_subcommand("release", "Give back what 'acquire --unit' took");
    verb->add_option("NAME", arguments->name, "The filter's name")->required();
    verb->add_option("-u,--unit", arguments->unit, "The unit that needed it")->required();
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments] {
            return withDaemon([&](client::Client& client) {
                return finished(client.releaseForUnit(arguments->name, arguments->unit));
            });
        };
    });
}

} // namespace

void addFilterVerbs(CLI::App& app, Invocation& invocation) {
    addLoad(app, invocation);
    addUnload(app, invocation);
    addAcquire(app, invocation);
    addRelease(app, invocation);
}

} // namespace filterd::cli
