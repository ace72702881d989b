// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// off, on: by the pins alone; neither daemon nor bus is asked (I8).

#include "cli/terminal/json.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verbs.hpp"
#include "rescue/rescue.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <unistd.h>

namespace filterd::cli {

namespace {

std::string counted(std::size_t number, const std::string& what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::size_t count(const rescue::Report& report, rescue::Outcome outcome) {
    return static_cast<std::size_t>(
        std::count_if(report.steps.begin(), report.steps.end(),
                      [&](const rescue::Step& step) { return step.outcome == outcome; }));
}

bool isRoot() {
    if (::geteuid() == 0)
        return true;
    complain("only root may switch filtering off or on; call as root");
    return false;
}

void warn(const rescue::Report& report) {
    for (const auto& warning : report.warnings)
        complain(warning);
}

Exit off(bool json) {
    if (!isRoot())
        return Exit::Failed;
    const auto report = rescue::switchOff({});
    if (!report) {
        complain(report.error().message);
        return Exit::Failed;
    }
    warn(*report);
    if (json) {
        printJson(
            {{"attachments_removed", report->steps.size()}, {"guard_links_removed", report->guardLinks}});
        return Exit::Ok;
    }
    print("off: " + counted(report->steps.size(), "attachment") + " and " +
          counted(report->guardLinks, "link") +
          " of the guard removed; nothing is filtered until 'filterctl on'\n");
    return Exit::Ok;
}

// A living daemon follows the switch in some milliseconds.
bool guardComesBack() {
    constexpr auto kPatience = std::chrono::milliseconds(1000);
    constexpr auto kPause = std::chrono::milliseconds(20);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!rescue::isGuarded({})) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(kPause);
    }
    return true;
}

void tellRestored(const rescue::Report& report, bool json) {
    const auto restored = count(report, rescue::Outcome::Restored);
    const auto present = count(report, rescue::Outcome::Present);
    const auto gone = count(report, rescue::Outcome::Gone);
    if (json)
        return printJson({{"attachments_restored", restored},
                          {"attachments_present", present},
                          {"units_gone", gone},
                          {"failed", count(report, rescue::Outcome::Failed)}});
    print("on: " + counted(restored, "attachment") + " restored, " + std::to_string(present) +
          " already there, " + std::to_string(gone) + " whose unit is gone\n");
}

Exit on(bool json) {
    if (!isRoot())
        return Exit::Failed;
    const auto report = rescue::switchOn({});
    if (!report) {
        complain(report.error().message);
        return Exit::Failed;
    }
    warn(*report);
    for (const auto& step : report->steps)
        if (step.outcome == rescue::Outcome::Failed)
            complain(step.cgroup + ", " + step.direction + ": " + step.detail);
    tellRestored(*report, json);
    const auto inForce = count(*report, rescue::Outcome::Restored) + count(*report, rescue::Outcome::Present);
    if (inForce > 0 && !guardComesBack())
        complain("only units that are running are filtered again; others are filtered once filterd runs: "
                 "'systemctl start filterd'");
    return count(*report, rescue::Outcome::Failed) == 0 ? Exit::Ok : Exit::Failed;
}

} // namespace

void addSwitchVerbs(CLI::App& app, Invocation& invocation) {
    app.add_subcommand("off", "Stop filtering: remove every attachment; works without daemon and bus")
        ->callback([&invocation] { invocation.action = [&invocation] { return off(invocation.json); }; });
    app.add_subcommand("on", "Filter again: put back what 'off' removed")->callback([&invocation] {
        invocation.action = [&invocation] { return on(invocation.json); };
    });
}

} // namespace filterd::cli
