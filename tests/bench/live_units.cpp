// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "live_units.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace filterd::bench {

namespace {

constexpr std::array kDirectionsOfTheKernel{BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS};

bool isAttached(int cgroup) {
    for (const auto type : kDirectionsOfTheKernel) {
        __u32 count = 0;
        if (::bpf_prog_query(cgroup, type, 0, nullptr, nullptr, &count) < 0)
            fatal("bpf_prog_query");
        if (count == 0)
            return false;
    }
    return true;
}

int attachTo(void* program, void* path, std::size_t) {
    const auto* name = std::strrchr(static_cast<const char*>(path), '/');
    if (name == nullptr || std::strncmp(name, "/peer-", 6) != 0)
        return 0;
    const UniqueFd cgroup(::open((std::string(kCgroups) + name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const auto type : kDirectionsOfTheKernel)
        if (cgroup && ::bpf_link_create(*static_cast<int*>(program), cgroup.get(), type, nullptr) < 0)
            fatal("bpf_link_create");
    return 0; // the links end with the cgroup, or with this process
}

bpf_object* load(const std::string& name) {
    auto* object = ::bpf_object__open_file(objectPath(name).c_str(), nullptr);
    if (object == nullptr || ::bpf_object__load(object) < 0)
        fatal("load " + objectPath(name));
    return object;
}

[[noreturn]] void loop(int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto* tracer = load("mkdir");
    auto* filter = load("trivial");
    int program = ::bpf_program__fd(::bpf_object__next_program(filter, nullptr));
    auto* link = ::bpf_program__attach(::bpf_object__next_program(tracer, nullptr));
    auto* paths =
        ::ring_buffer__new(::bpf_object__find_map_fd_by_name(tracer, "paths"), attachTo, &program, nullptr);
    if (link == nullptr || paths == nullptr || ::write(ready, "", 1) != 1)
        fatal("listen to new cgroups");
    for (;;)
        if (const int result = ::ring_buffer__poll(paths, -1); result < 0 && result != -EINTR)
            fatal("the ring buffer");
}

} // namespace

double timeUntilAttached(const std::string& name) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kPatience = std::chrono::seconds(10);
    const auto begun = Clock::now();
    const Group group(name);
    const auto directory = group.open();
    while (!isAttached(directory.get()))
        if (Clock::now() - begun > kPatience)
            fatal("nothing attaches to " + name);
    return std::chrono::duration<double, std::nano>(Clock::now() - begun).count();
}

BareLoop::BareLoop() {
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) < 0)
        fatal("pipe");
    const UniqueFd told(ready[0]);
    UniqueFd telling(ready[1]);
    process_ = ::fork();
    if (process_ < 0)
        fatal("fork");
    if (process_ == 0)
        loop(telling.get());
    telling.reset();
    char byte = 0;
    if (::read(told.get(), &byte, 1) != 1)
        fatal("the peer did not begin");
}

BareLoop::~BareLoop() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
}

} // namespace filterd::bench
