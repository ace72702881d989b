// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// watch: what passes and what is dropped, per unit and filter, as it happens.

#include "cli/packets/rates.hpp"
#include "cli/packets/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/keyboard.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verb/failure.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <memory>
#include <sys/ioctl.h>
#include <unistd.h>

namespace filterd::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct WatchArguments {
    std::string unit; // empty: all
    double seconds = 1;
    std::uint64_t count = 0; // readings; 0: until it is ended
};

struct Reading {
    std::vector<Rate> rates;
    std::vector<std::string> notes; // of units that cannot be counted now
};

// ---- reading --------------------------------------------------------------------------------------------

client::Result<std::vector<std::string>> unitsOf(const client::Client& client, const std::string& unit) {
    if (!unit.empty())
        return std::vector{unit};
    const auto all = client.units();
    if (!all)
        return tl::unexpected(all.error());
    std::vector<std::string> names;
    for (const auto& one : *all)
        names.push_back(one.name);
    return names;
}

client::Result<Reading> read(const client::Client& client, const std::string& unit, Rates& rates) {
    const auto units = unitsOf(client, unit);
    if (!units)
        return tl::unexpected(units.error());
    Reading reading;
    const auto begun = Clock::now();
    for (const auto& name : *units) {
        const auto traffic = client.traffic(name);
        if (!traffic && !isOfTheUnit(traffic.error()))
            return tl::unexpected(traffic.error());
        if (!traffic) {
            reading.notes.push_back(name + ": " + traffic.error().message);
            continue;
        }
        auto some = rates.of(name, *traffic, Clock::now());
        std::move(some.begin(), some.end(), std::back_inserter(reading.rates));
    }
    rates.forgetBefore(begun);
    return reading;
}

// ---- showing --------------------------------------------------------------------------------------------

std::string text(double number) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, number < 10 && number > 0 ? "%.1f" : "%.0f", number);
    return buffer;
}

std::string whatOf(const CounterName& name) {
    if (!name.dropped)
        return "passed";
    return name.filter.empty() ? "dropped while held"
                               : "dropped by " + name.filter + (name.logOnly ? " (log only)" : "");
}

std::vector<Cell> rowOf(const Rate& rate) {
    const bool drops =
        rate.name.dropped && !rate.name.logOnly && rate.perSecond && rate.perSecond->packets > 0;
    return {rate.name.unit,
            rate.name.direction,
            {whatOf(rate.name), drops ? Colour::Red : Colour::Plain},
            std::to_string(rate.total.packets),
            rate.perSecond ? text(rate.perSecond->packets) : "-",
            std::to_string(rate.total.bytes),
            rate.perSecond ? text(rate.perSecond->bytes) : "-"};
}

Table tableOf(const Reading& reading) {
    Table table({"UNIT", "DIRECTION", "WHAT", "PACKETS", "PACKETS/S", "BYTES", "BYTES/S"});
    for (const auto& rate : reading.rates)
        table.add(rowOf(rate));
    return table;
}

void printLines(const Reading& reading) {
    tableOf(reading).print("counter", "counters");
    for (const auto& note : reading.notes)
        complain(note);
}

void printDocument(const Reading& reading) {
    auto counters = nlohmann::json::array();
    for (const auto& rate : reading.rates) {
        nlohmann::json one{{"unit", rate.name.unit},        {"direction", rate.name.direction},
                           {"dropped", rate.name.dropped},  {"filter", rate.name.filter},
                           {"log_only", rate.name.logOnly}, {"packets", rate.total.packets},
                           {"packets_per_second", nullptr}, {"bytes", rate.total.bytes},
                           {"bytes_per_second", nullptr}};
        if (rate.perSecond) {
            one["packets_per_second"] = rate.perSecond->packets;
            one["bytes_per_second"] = rate.perSecond->bytes;
        }
        counters.push_back(std::move(one));
    }
    print(nlohmann::json{{"counters", counters}, {"notes", reading.notes}}.dump() + "\n");
}

// A terminal that is painted over again and again, without lines that wrap.
class Screen {
  public:
    Screen() { print("\x1b[?7l\x1b[2J"); }
    ~Screen() {
        print("\x1b[?7h");
        flush();
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    Screen(Screen&&) = delete;
    Screen& operator=(Screen&&) = delete;

    static void paint(const Reading& reading) {
        auto lines = tableOf(reading).aligned();
        for (const auto& note : reading.notes)
            lines.push_back(coloured(note, Colour::Yellow));
        if (reading.rates.empty() && reading.notes.empty())
            lines.emplace_back("no unit is guarded now");
        const auto room = height();
        const auto shown = lines.size() > room ? room - 1 : lines.size();
        std::string text = "\x1b[H";
        for (std::size_t i = 0; i < shown; ++i)
            text += lines[i] + "\x1b[K\n";
        if (shown < lines.size())
            text += std::to_string(lines.size() - shown) + " more lines\x1b[K\n";
        print(text + "\x1b[J");
    }

  private:
    static std::size_t height() {
        winsize size{};
        const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 3;
        return known ? std::size_t{size.ws_row} - 1U : 23U;
    }
};

// ---- the loop -------------------------------------------------------------------------------------------

struct WatchEnding {
    Exit exit = Exit::Ok;
    int signal = 0;
};

// Until the moment, or until somebody ends it.
std::optional<WatchEnding> waitUntil(Clock::time_point moment, Keyboard& keyboard) {
    constexpr char kEndOfTransmission = 4;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(moment - Clock::now());
        if (left.count() <= 0)
            return std::nullopt;
        const auto event = keyboard.wait(left);
        if (event.signal != 0)
            return WatchEnding{.signal = event.signal};
        if (event.key && (*event.key == 'q' || *event.key == kEndOfTransmission))
            return WatchEnding{};
    }
}

WatchEnding run(const client::Client& client, const WatchArguments& arguments, bool json) {
    Keyboard keyboard;
    std::optional<Screen> screen;
    if (isTerminal() && !json)
        screen.emplace();
    Rates rates;
    const auto period =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(arguments.seconds));
    for (std::uint64_t done = 1;; ++done) {
        const auto due = Clock::now() + period;
        const auto reading = read(client, arguments.unit, rates);
        if (!reading) {
            screen.reset();
            return {.exit = failed(reading.error())};
        }
        if (json)
            printDocument(*reading);
        else if (screen)
            Screen::paint(*reading);
        else
            printLines(*reading);
        if (!flush() || done == arguments.count)
            return {};
        if (const auto ended = waitUntil(due, keyboard))
            return *ended;
    }
}

Exit watchUnits(client::Client& client, const WatchArguments& arguments, bool json) {
    if (!arguments.unit.empty())
        if (const auto unit = client.unit(arguments.unit); !unit)
            return failed(unit.error());
    const auto ending = run(client, arguments, json);
    if (ending.signal == SIGINT || ending.signal == SIGTERM)
        return Exit::Ok; // that is how it ends
    if (ending.signal != 0)
        dieOf(ending.signal);
    return ending.exit;
}

} // namespace

void addWatchVerb(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<WatchArguments>();
    auto* verb = app.add_subcommand("watch", "Show what passes and what filters drop, as it happens");
    verb->add_option("UNIT", arguments->unit, "A unit or a cgroup path; all guarded units, if not given")
        ->check(notEmpty());
    verb->add_option("-n,--interval", arguments->seconds, "Seconds between two readings")
        ->check(CLI::Range(0.1, 86'400.0))
        ->capture_default_str();
    verb->add_option("--count", arguments->count, "End after so many readings")->check(aNumberFromOne());
    verb->footer("q or Ctrl-C ends. Without a terminal each reading is printed as lines.");
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments, &invocation] {
            return withDaemon(
                [&](client::Client& client) { return watchUnits(client, *arguments, invocation.json); });
        };
    });
}

} // namespace filterd::cli
