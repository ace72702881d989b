// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterd-bench-live: the running daemon beside what answers, or attaches, without one. Run in a bed.

#include "live_bus.hpp"
#include "live_units.hpp"

#include <cstdio>
#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace {

using namespace filterd::bench;

constexpr const char* kRuleFile = "/run/filterd/bench.queue";

// Times of one call, in microseconds.
Row callsBesideAPing(
    const Bus& bus, const std::string& name, const std::function<void()>& call,
    const std::function<void()>& afterwards = [] {}) {
    constexpr int kRounds = 9;
    constexpr int kCalls = 300;
    const auto timed = [&](const std::function<void()>& one) {
        return wallTimeOf([&] {
                   for (int i = 0; i < kCalls; ++i)
                       one();
               }) /
               kCalls / 1e3;
    };
    const auto ours = [&] {
        const auto time = timed(call);
        for (int i = 0; i < kCalls; ++i)
            afterwards();
        return time;
    };
    const auto times = inTurns(kRounds, ours, [&] { return timed([&] { bus.ping(); }); });
    return {name, "us", times.ours, times.peer, 2.0};
}

void measureCalls(const Bus& bus) {
    bus.loadFilter("benchmtu", "/usr/lib/filterd/bpf/mtu.bpf.o");
    bus.loadFilter("benchcidr", "/usr/lib/filterd/bpf/cidr.bpf.o");
    print(callsBesideAPing(
        bus, "acquire of a loaded filter, beside a ping", [&] { bus.acquireFilter("benchmtu"); },
        [&] { bus.releaseFilter("benchmtu"); }));
    std::uint32_t mtu = 1000;
    print(callsBesideAPing(bus, "live set of a parameter, beside a ping",
                           [&] { bus.setParameter("benchmtu", "mtu_bytes", ++mtu % 500 + 1000); }));
    unsigned last = 0;
    print(callsBesideAPing(bus, "update of a map's entry, beside a ping", [&] {
        bus.updateMap("benchcidr", "prefixes", "192.0.2." + std::to_string(++last % 256), "deny");
    }));
}

void makeRule(const Bus& bus) {
    ::mkdir("/run/filterd", 0755);
    std::ofstream(kRuleFile) << "[Match]\nUnit=bench-*.service\n[Queue]\nIngressFilter=benchmtu\n"
                                "EgressFilter=benchmtu\n";
    bus.reload();
}

void measureStarts() {
    constexpr int kStarts = 301;
    const BareLoop loop;
    int number = 0;
    const auto times = inTurns(
        kStarts, [&] { return timeUntilAttached("bench-" + std::to_string(++number) + ".service"); },
        [&] { return timeUntilAttached("peer-" + std::to_string(number) + ".service"); });
    print({"mkdir to attached, beside a bare loop", "us", times.ours / 1e3, times.peer / 1e3, 2.0});
}

// The number behind "NAME:" in /proc/PID/status.
double statusOf(const std::string& process, const std::string& name) {
    std::ifstream file("/proc/" + process + "/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(name + ":"))
            return std::stod(line.substr(name.size() + 1));
    fatal("/proc/" + process + "/status has no " + name);
}

void measureMemory(const Bus& bus) {
    constexpr std::uint32_t kUnits = 10'000;
    constexpr double kLimit = 4096;
    const auto process = bus.processId();
    const auto before = statusOf(process, "VmRSS");
    std::vector<std::unique_ptr<Group>> groups;
    for (std::uint32_t i = 0; i < kUnits; ++i)
        groups.push_back(std::make_unique<Group>("bench-" + std::to_string(i) + ".service"));
    for (int waited = 0; bus.unitCount() < kUnits; ++waited) {
        if (waited == 600)
            fatal("10,000 units are not attached within a minute");
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    const auto grown = (statusOf(process, "VmRSS") - before) * 1024;
    print({"10,000 units: memory per unit, beside its limit", "B", grown / kUnits, kLimit, 1.0});
    std::printf("10,000 units: reload %.0f ms, ListTraffic %.0f ms\n",
                wallTimeOf([&] { bus.reload(); }) / 1e6, wallTimeOf([&] { bus.listTraffic(); }) / 1e6);
}

void measureIdleness(const Bus& bus) {
    constexpr int kSeconds = 20;
    constexpr double kOfTheWatchdog =
        0.2; // a sign of life every WatchdogSec=30s/2 or so, and what comes with it
    const auto process = bus.processId();
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const auto before = statusOf(process, "voluntary_ctxt_switches");
    std::this_thread::sleep_for(std::chrono::seconds(kSeconds));
    const auto after = statusOf(process, "voluntary_ctxt_switches");
    print({"idle daemon: wake-ups per second, beside the watchdog's", "", (after - before) / kSeconds,
           kOfTheWatchdog, 1.0});
}

} // namespace

int main() {
    printHeader("the running daemon, time that passes");
    const Bus bus;
    measureCalls(bus);
    makeRule(bus);
    measureStarts();
    measureMemory(bus);
    measureIdleness(bus);
}
