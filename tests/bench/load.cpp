// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Loading one object: from the start of a process to its end, and by a daemon that runs.

#include "measure.hpp"

#include <cstdio>
#include <filesystem>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT(readability-redundant-declaration)

namespace filterd::bench {

namespace {

constexpr int kRounds = 21;
constexpr const char* kBpftool = "/usr/sbin/bpftool";
constexpr const char* kPeerPin = "/sys/fs/bpf/filterd-bench-peer";

// The processor time of a whole process, in microseconds: what others do on the machine is not in it.
double run(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    int status = -1;
    rusage used{};
    if (::posix_spawn(&child, words.front().c_str(), nullptr, nullptr, arguments.data(), environ) != 0 ||
        ::wait4(child, &status, 0, &used) != child || status != 0)
        fatal("run " + words.front());
    const auto microseconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return microseconds(used.ru_utime) + microseconds(used.ru_stime);
}

} // namespace

Rows measureLoad() {
    if (::access(kBpftool, X_OK) < 0) {
        std::fprintf(stderr, "no %s: nothing to compare loading with\n", kBpftool);
        return {};
    }
    Daemon daemon;
    const FilterInstance loaded{need(FilterName::parse("loaded")), "1"};
    std::vector<double> running;
    const auto ours = [&] {
        const double time = run({LOAD_ONCE, "port", daemon.records()});
        daemon.restart();
        need(daemon.kernel().unloadFilter(loaded));
        running.push_back(processorTimeOf([&] { static_cast<void>(daemon.load("loaded", "port")); }) / 1e3);
        need(daemon.kernel().unloadFilter(loaded));
        return time;
    };
    const auto peer = [&] {
        const double time =
            run({kBpftool, "prog", "load", objectPath("port"), kPeerPin, "type", "cgroup/skb"});
        std::filesystem::remove(kPeerPin);
        return time;
    };
    const auto times = inTurns(kRounds, ours, peer);
    return {{"load of an object, whole process", "us", times.ours, times.peer, 1.0},
            {"load of an object, by the running daemon", "us", median(running), times.peer, 1.0}};
}

} // namespace filterd::bench
