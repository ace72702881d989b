// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "measure.hpp"

#include "base/files.hpp"
#include "base/log.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace filterd::bench {

namespace fs = std::filesystem;

void printHeader(const char* what) {
    std::printf("%-62s %9s %9s     %6s  %-7s\n", what, "filterd", "peer", "ratio", "budget");
}

void print(const Row& row) {
    std::printf("%-62s %9.1f %9.1f %-3s %6.2f  <= %.2f  %s\n", row.name.c_str(), row.ours, row.peer,
                row.unit.c_str(), row.ratio(), row.budget, row.passes() ? "PASS" : "OVER");
    std::fflush(stdout);
}

void fatal(const std::string& what) {
    std::perror(what.c_str());
    std::exit(2);
}

void fatal(const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::exit(2);
}

void need(const Status& status) {
    if (!status)
        fatal(status.error());
}

namespace {

double processorTime() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

} // namespace

double processorTimeOf(const std::function<void()>& work) {
    const double start = processorTime();
    work();
    return processorTime() - start;
}

double wallTimeOf(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

Pair inTurns(int rounds, const std::function<double()>& ours, const std::function<double()>& peer) {
    std::vector<double> first;
    std::vector<double> second;
    for (int round = 0; round < rounds; ++round) {
        first.push_back(ours());
        second.push_back(peer());
    }
    return {median(first), median(second)};
}

// In a bed the build tree is elsewhere.
std::string objectPath(const std::string& name) {
    const char* elsewhere = std::getenv("FILTERD_BENCH_OBJECTS");
    return std::string(elsewhere != nullptr ? elsewhere : BENCH_OBJECTS) + "/" + name + ".bpf.o";
}

std::vector<std::byte> objectBytes(const std::string& name) {
    const auto text = need(readFile(objectPath(name), kMaxObjectSize));
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}

void enterCgroup(const std::string& path) {
    const UniqueFd procs(::open((kCgroups + path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs || ::write(procs.get(), "0", 1) != 1)
        fatal("enter " + path);
}

Group::Group(const std::string& name) {
    cgroup_.path = "/" + name;
    struct stat info {};
    const std::string directory = kCgroups + cgroup_.path;
    if (::mkdir(directory.c_str(), 0755) < 0 || ::stat(directory.c_str(), &info) < 0)
        fatal("mkdir " + directory);
    cgroup_.id = {info.st_ino};
}

Group::~Group() { ::rmdir((kCgroups + cgroup_.path).c_str()); }

UniqueFd Group::open() const {
    UniqueFd fd(::open((kCgroups + cgroup_.path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd)
        fatal("open " + cgroup_.path);
    return fd;
}

Daemon::Daemon(const std::string& records)
    : records_(records), leavesNothing_(records.empty()), tree_(need(CgroupFs::create(kCgroups))) {
    log::initialise(spdlog::level::err);
    if (records_.empty()) {
        records_ = fs::temp_directory_path() / "filterd-bench-XXXXXX";
        if (::mkdtemp(records_.data()) == nullptr)
            fatal("mkdtemp");
    }
    restart();
}

Daemon::~Daemon() {
    if (!leavesNothing_)
        return;
    kernel_.reset();
    std::error_code ignored;
    fs::remove_all(kPins, ignored);
    fs::remove_all(records_, ignored);
}

void Daemon::restart() {
    kernel_ = std::make_unique<BpfKernel>(intake_, tree_, BpfDirectories{kPins, records_ + "/programs"});
    static_cast<void>(need(kernel_->adopt()));
}

FilterInstance Daemon::load(const std::string& name, const std::string& object) {
    const auto loaded =
        need(kernel_->loadFilter({need(FilterName::parse(name)), ElfObject{objectBytes(object)}, ""}, "1"));
    static_cast<void>(need(kernel_->publishFilter(loaded.instance)));
    return loaded.instance;
}

UniqueFd Daemon::program(const FilterInstance& filter) const {
    UniqueFd fd(::bpf_obj_get((std::string(kPins) + "/filters/" + filter.name.text()).c_str()));
    if (!fd)
        fatal("open the pin of " + filter.name.text());
    return fd;
}

} // namespace filterd::bench
