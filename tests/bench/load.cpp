// Loading one object, from the start of a process to its end.

#include "measure.hpp"

#include <cstdio>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT(readability-redundant-declaration)

namespace filterd::bench {

namespace {

constexpr int kRounds = 21;
constexpr const char* kBpftool = "/usr/sbin/bpftool";
constexpr const char* kPeerPin = "/sys/fs/bpf/filterd-bench-peer";

double run(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    return timeOf([&] {
        pid_t child = 0;
        int status = -1;
        if (::posix_spawn(&child, words.front().c_str(), nullptr, nullptr, arguments.data(), environ) != 0 ||
            ::waitpid(child, &status, 0) != child || status != 0)
            fatal("run " + words.front());
    });
}

} // namespace

void loadOnce(const std::string& object, const std::string& records) {
    Daemon daemon(records);
    static_cast<void>(daemon.load("loaded", object));
}

Rows measureLoad(const std::string& self) {
    if (::access(kBpftool, X_OK) < 0) {
        std::fprintf(stderr, "no %s: nothing to compare loading with\n", kBpftool);
        return {};
    }
    Daemon daemon;
    const auto ours = [&] {
        const double time = run({self, "--load-once", "port", daemon.records()});
        daemon.restart();
        need(daemon.kernel().unloadFilter({need(FilterName::parse("loaded")), "1"}));
        return time;
    };
    const auto peer = [&] {
        const double time =
            run({kBpftool, "prog", "load", objectPath("port"), kPeerPin, "type", "cgroup/skb"});
        std::filesystem::remove(kPeerPin);
        return time;
    };
    const auto times = inTurns(kRounds, ours, peer);
    return {{"load of an object, whole process", "us", times.ours / 1e3, times.peer / 1e3, 1.0}};
}

} // namespace filterd::bench
