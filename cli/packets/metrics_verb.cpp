// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// metrics

#include "base/files.hpp"
#include "cli/packets/metrics_text.hpp"
#include "cli/packets/verbs.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace filterd::cli {

namespace {

using client::Client;

struct Gathered {
    client::Status status;
    client::Statistics statistics;
    std::vector<client::FilterSummary> filters;
    std::vector<client::UnitSummary> units;
    std::vector<client::UnitTraffic> traffic;
};

template<typename T>
client::Result<void> take(client::Result<T> from, T& to) {
    if (!from)
        return tl::unexpected(from.error());
    to = std::move(*from);
    return {};
}

// A fixed number of calls, however many units there are; the first that fails is the last.
client::Result<Gathered> gather(const Client& client) {
    Gathered all;
    return take(client.status(), all.status)
        .and_then([&] { return take(client.statistics(), all.statistics); })
        .and_then([&] { return take(client.filters(), all.filters); })
        .and_then([&] { return take(client.units(), all.units); })
        .and_then([&] { return take(client.traffic(), all.traffic); })
        .map([&] { return std::move(all); });
}

std::uint64_t countOf(const std::vector<client::NamedCount>& counts, std::string_view name) {
    const auto found =
        std::find_if(counts.begin(), counts.end(), [&](const auto& one) { return one.name == name; });
    return found == counts.end() ? 0 : found->count;
}

void addState(MetricsText& text, const Gathered& all) {
    const auto& status = all.status;
    text.family("filterd_build", MetricType::Info, "", "The version of the daemon.");
    text.sample({{"version", status.version}}, 1);
    text.family("filterd_enforcing", MetricType::Gauge, "", "0 after filterctl off: nothing is filtered.");
    text.sample({}, status.enforcing ? 1 : 0);
    text.family("filterd_state_saved", MetricType::Gauge, "",
                "0 if a restart of the daemon would lose unit rules and references.");
    text.sample({}, status.stateSaved ? 1 : 0);
    text.family("filterd_guard_state", MetricType::Gauge, "",
                "1 for what the guard is: active, idle without unit rules, or unsupported by the kernel.");
    for (const char* state : {"active", "idle", "unsupported"})
        text.sample({{"state", state}}, status.guard == state ? 1 : 0);
    text.family("filterd_filters", MetricType::Gauge, "", "Loaded filters.");
    text.sample({}, status.filters);
    text.family("filterd_unit_rules", MetricType::Gauge, "", "Unit rules: of the bus and of files.");
    text.sample({}, status.unitRules);
    text.family("filterd_units", MetricType::Gauge, "", "Guarded units that have a cgroup, by their state.");
    for (const char* state : {"attached", "held", "failed"})
        text.sample({{"state", state}}, static_cast<std::uint64_t>(std::count_if(
                                            all.units.begin(), all.units.end(),
                                            [&](const auto& unit) { return unit.state == state; })));
    text.family("filterd_configuration_errors", MetricType::Gauge, "", "Broken configuration files.");
    text.sample({}, status.configurationErrors.size());
    text.family("filterd_unconfirmed_queues", MetricType::Gauge, "",
                "Queues that go back unless they are confirmed.");
    text.sample({}, status.unconfirmed.size());
    text.family("filterd_filter_references", MetricType::Gauge, "", "How many need a loaded filter.");
    for (const auto& filter : all.filters)
        text.sample({{"filter", filter.name}}, filter.references);
}

void addTraffic(MetricsText& text, const std::vector<client::UnitTraffic>& traffic) {
    const auto passed = [&](auto count) {
        for (const auto& one : traffic)
            text.sample({{"unit", one.unit}, {"direction", one.traffic.direction}}, one.traffic.*count);
    };
    const auto dropped = [&](auto count) {
        for (const auto& one : traffic)
            for (const auto& drops : one.traffic.dropped)
                text.sample({{"unit", one.unit},
                             {"direction", one.traffic.direction},
                             {"filter", drops.filter},
                             {"reason", drops.filter.empty() ? "held"
                                        : drops.logOnly      ? "log-only"
                                                             : "filter"}},
                            drops.*count);
    };
    text.family("filterd_unit_passed_packets", MetricType::Counter, "packets",
                "Packets that passed a unit's queue.");
    passed(&client::Traffic::passedPackets);
    text.family("filterd_unit_passed_bytes", MetricType::Counter, "bytes",
                "Bytes of the packets that passed a unit's queue.");
    passed(&client::Traffic::passedBytes);
    text.family("filterd_unit_dropped_packets", MetricType::Counter, "packets",
                "Packets that a filter of a unit's queue dropped (reason log-only: would have dropped, and "
                "let pass), "
                "or that were dropped while the unit was held.");
    dropped(&client::FilterDropTraffic::packets);
    text.family("filterd_unit_dropped_bytes", MetricType::Counter, "bytes",
                "Bytes of the packets that were dropped.");
    dropped(&client::FilterDropTraffic::bytes);
}

void addGuard(MetricsText& text, const client::Statistics& statistics) {
    const auto& guard = statistics.guard;
    text.family("filterd_guard_held_units", MetricType::Gauge, "",
                "Units that are held until their queues are attached.");
    text.sample({}, countOf(guard, "held"));
    text.family("filterd_guard_interim_packets", MetricType::Counter, "packets",
                "Packets of held units that their queues judged.");
    text.sample({}, countOf(guard, "interim-packets"));
    text.family(
        "filterd_guard_dropped_packets", MetricType::Counter, "packets",
        "Packets that the guard dropped: a held unit's queue was not there, or it held too many units.");
    text.sample({{"reason", "missing_queue"}}, countOf(guard, "missing-queue-drops"));
    text.sample({{"reason", "overflow"}}, countOf(guard, "overflow-drops"));
}

struct Counted {
    const char* counter; // of GetStatistics
    const char* family;
    const char* help;
};

constexpr std::array<Counted, 8> kCounted{
    {{"attachments", "filterd_queue_attachments", "Queues attached to cgroups that had none."},
     {"replacements", "filterd_queue_replacements", "Attached queues replaced by others."},
     {"attachment-failures", "filterd_queue_attachment_failures", "Queues that could not be attached."},
     {"builds", "filterd_queue_builds", "Queues made into programs."},
     {"build-failures", "filterd_queue_build_failures", "Queues that could not be made into programs."},
     {"holds", "filterd_holds", "Units that were held until their queues were attached."},
     {"overflows", "filterd_guard_overflows", "Times that the guard could not hold all units."},
     {"undelivered-drop-reports", "filterd_undelivered_drop_reports",
      "Reports of dropped packets that were left out."}}};

void addStatistics(MetricsText& text, const client::Statistics& statistics) {
    for (const auto& [counter, family, help] : kCounted) {
        text.family(family, MetricType::Counter, "", help);
        text.sample({}, countOf(statistics.counters, counter));
    }
    text.family("filterd_attach_latency_seconds", MetricType::Histogram, "seconds",
                "From the start of a unit in the kernel until its own queues filter.");
    text.histogram(statistics.attachLatency, statistics.attachTime);
}

std::string textOf(const Gathered& all, MetricsFormat format) {
    MetricsText text(format);
    addState(text, all);
    addTraffic(text, all.traffic);
    addGuard(text, all.statistics);
    addStatistics(text, all.statistics);
    return std::move(text).finish();
}

Exit showMetrics(Client& client, MetricsFormat format, const std::string& file) {
    constexpr mode_t kReadable = 0644; // whoever collects the file is another user
    const auto all = gather(client);
    if (!all)
        return failed(all.error());
    const auto text = textOf(*all, format);
    if (file.empty()) {
        print(text);
        return Exit::Ok;
    }
    if (auto written = replaceFile(file, text, kReadable); !written) {
        complain(written.error().message);
        return Exit::Failed;
    }
    return Exit::Ok;
}

struct MetricsArguments {
    bool prometheus = false;
    std::string file;
};

} // namespace

void addMetricsVerb(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<MetricsArguments>();
    auto* verb =
        app.add_subcommand("metrics", "Print what filterd and its queues have counted, as OpenMetrics");
    verb->add_flag("--prometheus", arguments->prometheus,
                   "In the older text format, which node_exporter takes");
    verb->add_option("--output,-o", arguments->file, "Replace this file in one step, in place of printing");
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments] {
            const auto format =
                arguments->prometheus ? MetricsFormat::Prometheus : MetricsFormat::OpenMetrics;
            return withDaemon([&](Client& client) { return showMetrics(client, format, arguments->file); });
        };
    });
}

} // namespace filterd::cli
