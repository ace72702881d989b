// monitor

#include "base/unique_fd.hpp"
#include "cli/failure.hpp"
#include "cli/json.hpp"
#include "cli/terminal.hpp"

#include <csignal>
#include <cstdio>
#include <ctime>
#include <sys/signalfd.h>

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

std::string clockTime() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    std::tm local{};
    ::localtime_r(&now.tv_sec, &local);
    char text[32];
    const auto length = std::strftime(text, sizeof text, "%H:%M:%S", &local);
    char milliseconds[24];
    std::snprintf(milliseconds, sizeof milliseconds, ".%03ld", now.tv_nsec / 1'000'000);
    return std::string(text, length) + milliseconds;
}

void printEvent(const client::Event& event, bool json) {
    const auto words = wordsFor(event.kind);
    if (json) {
        const nlohmann::json line{
            {"what", words.what}, {"event", words.happened}, {"name", event.name}, {"error", event.detail}};
        print(line.dump() + "\n");
    } else {
        print(coloured(clockTime(), Colour::Dim) + "  " + words.what + " " +
              coloured(words.happened, words.colour) + "  " + event.name +
              (event.detail.empty() ? "" : ": " + event.detail) + "\n");
    }
    std::fflush(stdout); // each line at once, also into a pipe
}

Exit monitor(client::Client& client, bool json) {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&ends, signal);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    const UniqueFd end(::signalfd(-1, &ends, SFD_CLOEXEC));
    return finished(client.follow([&](const client::Event& event) { printEvent(event, json); }, end.get()));
}

} // namespace

void addMonitorVerb(CLI::App& app, Invocation& invocation) {
    app.add_subcommand("monitor", "Print what happens to filters and units, until interrupted")
        ->callback([&invocation] {
            invocation.action = [&invocation] {
                return withDaemon([&](client::Client& client) { return monitor(client, invocation.json); });
            };
        });
}

} // namespace filterd::cli
