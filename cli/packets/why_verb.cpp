// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// why: what has become of a unit's packets lately.

#include "base/text.hpp"
#include "cli/files/explain.hpp"
#include "cli/packets/counters.hpp"
#include "cli/packets/drops.hpp"
#include "cli/packets/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verb/failure.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <set>

namespace filterd::cli {

namespace {

constexpr std::chrono::minutes kRemembered{10}; // by the daemon
// A unit above or below, whose queue judges packets of this one, too.
struct Other {
    std::string unit;
    std::vector<client::Counters> counters;
    client::Drops drops;
};

struct Findings {
    std::string unit;
    std::optional<client::Unit> state;                     // none: it does not run, or no rule covers it
    std::optional<std::vector<client::Counters>> counters; // none: nothing counts
    client::Drops drops;
    std::string unreported; // why there is nothing to be known of drops
    bool covered = false;
    bool enforcing = true;
    std::vector<Other> above;
    std::vector<Other> below;
};

template<typename Value>
std::optional<client::Error> errorOf(const client::Result<Value>& result) {
    return result ? std::nullopt : std::optional(result.error());
}

// One that has ended meanwhile has nothing to tell.
client::Result<std::vector<Other>> others(client::Client& client, const std::vector<std::string>& units) {
    constexpr std::size_t kMost = 20;
    std::vector<Other> found;
    for (const auto& unit : units) {
        if (found.size() == kMost)
            break;
        const auto counters = client.counters(unit);
        const auto drops = client.drops(unit);
        for (const auto& failure : {errorOf(counters), errorOf(drops)})
            if (failure && !isOfTheUnit(*failure))
                return tl::unexpected(*failure);
        found.push_back(
            {unit, counters.value_or(std::vector<client::Counters>()), drops.value_or(client::Drops())});
    }
    return found;
}

// Only what tells that there is nothing to be told is no failure.
std::optional<client::Error> look(client::Client& client, Findings& findings) {
    auto drops = client.drops(findings.unit);
    if (!drops && drops.error().name != client::errors::kUnsupported)
        return drops.error();
    if (drops)
        findings.drops = std::move(*drops);
    else
        findings.unreported = drops.error().message;
    const auto status = client.status();
    if (!status)
        return status.error();
    findings.enforcing = status->enforcing;
    auto unit = client.unit(findings.unit);
    if (!unit && unit.error().name != client::errors::kNoSuchUnit)
        return unit.error();
    const auto around = surroundingsOf(findings.unit);
    findings.covered = unit || around.isCovered;
    auto above = others(client, around.above);
    auto below = above ? others(client, around.below) : above;
    if (!below)
        return below.error();
    findings.above = std::move(*above);
    findings.below = std::move(*below);
    if (!unit)
        return std::nullopt;
    findings.state = std::move(*unit);
    auto counters = client.counters(findings.unit);
    if (!counters && !isOfTheUnit(counters.error()))
        return counters.error();
    if (counters)
        findings.counters = std::move(*counters);
    return std::nullopt;
}

std::string agoText(std::chrono::system_clock::time_point time) {
    const auto seconds = std::max<std::int64_t>(
        0, std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - time).count());
    return seconds < 120 ? std::to_string(seconds) + " s ago" : std::to_string(seconds / 60) + " min ago";
}

std::string toText(const client::DropSum& sum) {
    if (sum.destination.empty())
        return "-";
    return sum.destinationPort == 0 ? sum.destination
                                    : sum.destination + " port " + std::to_string(sum.destinationPort);
}

std::string filterOf(const client::DropSum& sum) {
    return sum.filter.empty() ? "(held)" : sum.filter + (sum.logOnly ? " (log only)" : "");
}

std::string orDash(const std::string& text) { return text.empty() ? "-" : text; }

void printDrops(const client::Drops& drops) {
    Table table({"DIRECTION", "BY", "PROTOCOL", "FROM", "TO", "PACKETS", "LAST"});
    for (const auto& sum : drops.sums)
        table.add({sum.direction, filterOf(sum), orDash(sum.protocol), orDash(sum.source), toText(sum),
                   std::to_string(sum.packets), agoText(sum.last)});
    table.print("kind", "kinds", " of packets, as far as drops were reported in the last ten minutes");
}

void printState(const Findings& findings) {
    if (!findings.covered)
        printField("Rule",
                   findings.above.empty() ? "none: nothing of filterd's filters it" : "none of its own");
    else if (!findings.enforcing)
        printField("State", "everything is switched off: nothing is filtered until 'filterctl on'");
    else if (!findings.state)
        printField("State", "not running");
    else {
        printField("State", coloured(findings.state->state, colourOfState(findings.state->state)) +
                                (findings.state->error.empty() ? "" : ": " + findings.state->error));
        if (!findings.state->modeReason.empty())
            printField("Note", findings.state->modeReason);
    }
    for (const auto& counters : findings.counters.value_or(std::vector<client::Counters>()))
        printCounters(counters);
}

// Drops of a queue above may be of any unit in it: nobody else tells of them here.
void printOthers(std::string_view where, const std::vector<Other>& others) {
    for (const auto& other : others) {
        printField(where, coloured(other.unit, Colour::Bold) + " has a queue, too: 'filterctl why " +
                              other.unit + "' tells more");
        for (const auto& counters : other.counters)
            printCounters(counters);
        if (!other.drops.sums.empty())
            printDrops(other.drops);
    }
}

// Prints what to look at next.
void printWays(const Findings& findings) {
    std::set<std::string> filters;
    for (const auto& sum : findings.drops.sums)
        if (!sum.filter.empty())
            filters.insert(sum.filter);
    for (const auto& filter : filters)
        printField("The filter",
                   joined(std::array{"filterctl show " + filter, "filterctl get " + filter}, ", "));
    printField("Who chose it", "filterctl explain " + findings.unit);
}

void printText(const Findings& findings) {
    print(coloured(findings.unit, Colour::Bold) + "\n");
    printState(findings);
    if (!findings.unreported.empty())
        printField("Drops", "not known: " + findings.unreported);
    else if (findings.drops.sums.empty())
        printField("Drops", "none reported in the last ten minutes");
    else
        printDrops(findings.drops);
    if (findings.unreported.empty() && std::chrono::system_clock::now() - findings.drops.since < kRemembered)
        printField("Before", "not known: the daemon was started " + agoText(findings.drops.since));
    if (!findings.drops.sums.empty() || findings.drops.undelivered > 0)
        printField("Not reported", std::to_string(findings.drops.undelivered) +
                                       " drops of all units since boot; the counters have them all");
    printOthers("Above", findings.above);
    printOthers("Below", findings.below);
    if (findings.covered)
        printWays(findings);
}

nlohmann::json documentOf(const std::vector<Other>& others) {
    auto list = nlohmann::json::array();
    for (const auto& other : others) {
        auto drops = nlohmann::json::array();
        for (const auto& sum : other.drops.sums)
            drops.push_back(jsonOf(sum));
        list.push_back({{"unit", other.unit}, {"counters", other.counters}, {"drops", drops}});
    }
    return list;
}

void printDocument(const Findings& findings) {
    auto drops = nlohmann::json::array();
    for (const auto& sum : findings.drops.sums)
        drops.push_back(jsonOf(sum));
    printJson({{"unit", findings.unit},
               {"covered", findings.covered},
               {"state", findings.state ? nlohmann::json(findings.state->state) : nlohmann::json()},
               {"error", findings.state ? findings.state->error : ""},
               {"counters", findings.counters ? nlohmann::json(*findings.counters) : nlohmann::json()},
               {"drops", drops},
               {"since_usec", microsecondsOf(findings.drops.since)},
               {"enforcing", findings.enforcing},
               {"unreported", findings.unreported},
               {"undelivered_reports", findings.drops.undelivered},
               {"above", documentOf(findings.above)},
               {"below", documentOf(findings.below)}});
}

Exit why(client::Client& client, const std::string& unit, bool json) {
    Findings findings;
    findings.unit = unit;
    if (const auto error = look(client, findings))
        return failed(*error);
    json ? printDocument(findings) : printText(findings);
    return Exit::Ok;
}

} // namespace

void addWhyVerb(CLI::App& app, Invocation& invocation) {
    auto unit = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("why", "Tell which packets of a unit were dropped lately, and by what");
    verb->add_option("UNIT", *unit, "The unit's name, or a cgroup path")->required();
    verb->callback([unit, &invocation] {
        invocation.action = [unit, &invocation] {
            return withDaemon([&](client::Client& client) { return why(client, *unit, invocation.json); });
        };
    });
}

} // namespace filterd::cli
