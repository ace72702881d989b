// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// monitor

#include "cli/packets/drops.hpp"
#include "cli/packets/ending.hpp"
#include "cli/packets/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

namespace filterd::cli {

namespace {

using Kind = client::Event::Kind;

struct Words {
    const char* what;
    const char* happened;
    Colour colour;
};

Words wordsFor(Kind kind) {
    switch (kind) {
    case Kind::UnitAppeared:
        return {"unit", "appeared", Colour::Plain};
    case Kind::UnitAttached:
        return {"unit", "attached", Colour::Green};
    case Kind::UnitFailed:
        return {"unit", "failed", Colour::Red};
    case Kind::UnitVanished:
        return {"unit", "vanished", Colour::Dim};
    case Kind::FilterAppeared:
        return {"filter", "loaded", Colour::Green};
    case Kind::FilterVanished:
        return {"filter", "unloaded", Colour::Dim};
    case Kind::DaemonAppeared:
        return {"daemon", "started", Colour::Green};
    case Kind::DaemonVanished:
        break;
    }
    return {"daemon", "stopped", Colour::Yellow};
}

std::string clockTime(std::chrono::system_clock::time_point moment) {
    const auto microseconds = microsecondsOf(moment);
    const std::time_t seconds = microseconds / 1'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char text[32];
    const auto length = std::strftime(text, sizeof text, "%H:%M:%S", &local);
    char milliseconds[24];
    std::snprintf(milliseconds, sizeof milliseconds, ".%03d", static_cast<int>(microseconds / 1'000 % 1'000));
    return std::string(text, length) + milliseconds;
}

void printEvent(const client::Event& event, bool json) {
    const auto words = wordsFor(event.kind);
    if (json) {
        const nlohmann::json line{
            {"what", words.what}, {"event", words.happened}, {"name", event.name}, {"error", event.detail}};
        print(line.dump() + "\n");
    } else {
        print(coloured(clockTime(std::chrono::system_clock::now()), Colour::Dim) + "  " + words.what + " " +
              coloured(words.happened, words.colour) + "  " + event.name +
              (event.detail.empty() ? "" : ": " + event.detail) + "\n");
    }
}

void printDrop(const client::Drop& drop, bool json) {
    if (json)
        print(jsonOf(drop).dump() + "\n");
    else
        print(coloured(clockTime(drop.time), Colour::Dim) + "  " + whoseText(drop) + "  " + drop.direction +
              "  " + coloured("dropped", drop.logOnly ? Colour::Yellow : Colour::Red) + " " +
              deciderText(drop) + "  " + packetText(drop) + "  " + std::to_string(drop.length) + " bytes\n");
}

struct MonitorArguments {
    bool drops = false;
    std::string unit; // empty: all
};

Exit monitor(client::Client& client, const MonitorArguments& arguments, bool json) {
    Ending ending;
    const auto print = [&](const auto& what, auto&& printOne) {
        printOne(what, json);
        if (!flush())
            ending.now();
    };
    if (arguments.drops)
        return finished(client.followDrops(
            arguments.unit, [&](const client::Drop& drop) { print(drop, printDrop); }, ending.fd()));
    return finished(
        client.follow([&](const client::Event& event) { print(event, printEvent); }, ending.fd()));
}

} // namespace

void addMonitorVerb(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<MonitorArguments>();
    auto* verb = app.add_subcommand(
        "monitor", "Print what happens to filters and units, or each packet dropped, until interrupted");
    auto* drops = verb->add_flag("--drops", arguments->drops,
                                 "Print packets that queues drop, as far as the kernel reports them");
    verb->add_option("UNIT", arguments->unit, "With --drops: of this unit (or cgroup path) only")
        ->needs(drops)
        ->check(notEmpty());
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments, &invocation] {
            return withDaemon(
                [&](client::Client& client) { return monitor(client, *arguments, invocation.json); });
        };
    });
}

} // namespace filterd::cli
