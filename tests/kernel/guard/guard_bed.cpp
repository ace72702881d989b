// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "guard_bed.hpp"

#include "base/files.hpp"
#include "edge/guard/pins/guard_pins.hpp"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/sched.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace filterd::bed {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

[[noreturn]] void fatal(const std::string& what) {
    std::perror(what.c_str());
    std::_Exit(3);
}

} // namespace

int fromEnvironment(const char* variable, int otherwise) {
    const char* value = std::getenv(variable);
    return value == nullptr ? otherwise : std::atoi(value);
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(200us);
    }
    return true;
}

// ---- cgroups

std::string cgroupPath(const std::string& name) { return std::string(kCgroups) + "/" + name; }

void makeCgroup(const std::string& name) {
    if (::mkdir(cgroupPath(name).c_str(), 0755) < 0)
        fatal("mkdir " + name);
}

void removeCgroup(const std::string& name) {
    EXPECT_TRUE(eventually([&] { return ::rmdir(cgroupPath(name).c_str()) == 0 || errno == ENOENT; }))
        << "cgroup " << name << " is still in use";
}

void removeAllCgroups() {
    std::vector<fs::path> directories;
    for (const auto& entry : fs::recursive_directory_iterator(kCgroups))
        if (entry.is_directory())
            directories.push_back(entry.path());
    for (auto path = directories.rbegin(); path != directories.rend(); ++path)
        eventually([&] { return ::rmdir(path->c_str()) == 0 || errno == ENOENT; });
}

void enterCgroup(const std::string& name) {
    const UniqueFd fd(::open((cgroupPath(name) + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), "0", 1) != 1)
        fatal("enter " + name);
}

CgroupId idOf(const std::string& name) {
    struct stat info {};
    if (::stat(cgroupPath(name).c_str(), &info) < 0)
        fatal("stat " + name);
    return {info.st_ino};
}

UniqueFd openCgroup(const std::string& name) {
    UniqueFd fd(::open(cgroupPath(name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd)
        fatal("open " + name);
    return fd;
}

namespace {

[[noreturn]] void runChild(const std::function<void()>& body) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
}

} // namespace

pid_t startInside(const std::string& name, const std::function<void()>& body) {
    const auto cgroup = openCgroup(name);
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<__u64>(cgroup.get());
    const auto child = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
    if (child < 0)
        fatal("clone3 into " + name);
    if (child == 0)
        runChild(body);
    return child;
}

pid_t startChild(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child < 0)
        fatal("fork");
    if (child == 0)
        runChild(body);
    return child;
}

void endChild(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

bool awaitChild(pid_t child) {
    int status = -1;
    if (!eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }, 20s)) {
        endChild(child);
        return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// ---- sockets

namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address addressOf(Family family, int port, std::uint32_t address) {
    Address result;
    if (family == Family::V4) {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(static_cast<std::uint16_t>(port));
        v4->sin_addr.s_addr = htonl(address);
        result.size = sizeof *v4;
        return result;
    }
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    v6->sin6_addr = in6addr_loopback;
    if (family == Family::DualStack) {
        const std::uint32_t embedded = htonl(address);
        std::memset(&v6->sin6_addr, 0, sizeof v6->sin6_addr);
        v6->sin6_addr.s6_addr[10] = v6->sin6_addr.s6_addr[11] = 0xff;
        std::memcpy(&v6->sin6_addr.s6_addr[12], &embedded, sizeof embedded);
    }
    result.size = sizeof *v6;
    return result;
}

UniqueFd makeSocket(Family family, int type) {
    UniqueFd fd(::socket(family == Family::V4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
    const int only = family == Family::V6 ? 1 : 0;
    if (!fd ||
        (family != Family::V4 && ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0))
        fatal("socket");
    return fd;
}

UniqueFd bound(Family family, int type, int port, std::uint32_t address) {
    auto fd = makeSocket(family, type);
    const int yes = 1;
    const auto at = addressOf(family, port, address);
    if (type == SOCK_STREAM)
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(fd.get(), at.get(), at.size) < 0)
        fatal("bind " + std::to_string(port));
    return fd;
}

} // namespace

UniqueFd udpSocket(Family family) { return makeSocket(family, SOCK_DGRAM); }

UniqueFd udpReceiver(Family family, int port, std::uint32_t address) {
    return bound(family, SOCK_DGRAM, port, address);
}

bool sendTo(int socket, Family family, int port, std::uint32_t address) {
    const auto to = addressOf(family, port, address);
    return ::sendto(socket, "x", 1, 0, to.get(), to.size) == 1;
}

int receiveAll(int socket) {
    char byte = 0;
    int received = 0;
    while (::recv(socket, &byte, 1, MSG_DONTWAIT) > 0)
        ++received;
    return received;
}

UniqueFd tcpListener(Family family, int port) {
    auto fd = bound(family, SOCK_STREAM, port, INADDR_LOOPBACK);
    if (::listen(fd.get(), 16) < 0)
        fatal("listen");
    return fd;
}

int tcpExchange(Family family, int port, int listener, int connectMilliseconds, int bytes) {
    const auto client = makeSocket(family, SOCK_STREAM | SOCK_NONBLOCK);
    const auto to = addressOf(family, port, INADDR_LOOPBACK);
    ::connect(client.get(), to.get(), to.size);
    pollfd incoming{listener, POLLIN, 0};
    if (::poll(&incoming, 1, connectMilliseconds) <= 0)
        return 0;
    const UniqueFd server(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const auto end = std::chrono::steady_clock::now() + 10s;
    std::array<char, 1000> buffer{};
    int sent = 0;
    for (int returned = 0; returned < bytes;) {
        if (sent < bytes) {
            const auto wrote = ::send(client.get(), buffer.data(), 500, MSG_NOSIGNAL);
            sent += wrote > 0 ? static_cast<int>(wrote) : 0;
        }
        const auto arrived = ::recv(server.get(), buffer.data(), buffer.size(), 0);
        if (arrived > 0 &&
            ::send(server.get(), buffer.data(), static_cast<std::size_t>(arrived), MSG_NOSIGNAL) != arrived)
            return -1;
        const auto back = ::recv(client.get(), buffer.data(), buffer.size(), 0);
        returned += back > 0 ? static_cast<int>(back) : 0;
        if (std::chrono::steady_clock::now() > end)
            return -1;
    }
    return 1;
}

// ---- one guard per test

std::vector<std::byte> testObject(const std::string& name) {
    const auto text = readFile(fs::path(GUARD_TEST_OBJECTS) / name, 1U << 22U);
    EXPECT_TRUE(text);
    const auto* begin = reinterpret_cast<const std::byte*>(text->data());
    return {begin, begin + text->size()};
}

void GuardTest::SetUp() {
    ::mkdir(kBpffs, 0700);
    makeCgroup(kOutside);
    enterCgroup(kOutside);
    factory_ = std::make_unique<QueueFactory>();
}

void GuardTest::TearDown() {
    guard_.reset();
    for (const unsigned layout : pinnedLayouts(kBpffs))
        EXPECT_TRUE(removeGuard(layoutDirectory(kBpffs, layout)));
    fs::remove_all(kBpffs);
    enterCgroup("");
    removeAllCgroups();
}

void GuardTest::open(const std::string& object) {
    const auto bytes = object.empty() ? std::vector<std::byte>() : testObject(object);
    auto opened = openGuard({kBpffs, kCgroups, bytes, 0});
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_TRUE(opened->guard) << opened->support.reason;
    guard_ = std::move(opened->guard);
    const std::vector<std::vector<std::string>> filters{{"private_cb", "scribble", "not_9999"},
                                                        {"private_cb", "scribble", "not_9998"},
                                                        {"private_cb", "scribble", "congestion"}};
    for (int number = 1; number <= 3; ++number) {
        queues_[number] = factory_->make(*guard_, filters[static_cast<std::size_t>(number - 1)]);
        const auto slot = guard_->allocateSlot();
        ASSERT_TRUE(slot) << slot.error().message;
        slots_[number] = *slot;
        for (const auto direction : kDirections) {
            const auto& interim = queues_[number].interim[indexOf(direction)];
            const auto set = guard_->setQueueProgram(*slot, direction, interim.get());
            ASSERT_TRUE(set) << set.error().message;
        }
    }
}

const TestQueue& GuardTest::queue(int number) { return queues_.at(number); }
QueueSlot GuardTest::slot(int number) { return slots_.at(number); }

Keeper::Queues GuardTest::queuesBySlot() {
    Keeper::Queues result;
    for (const auto& [number, slot] : slots_)
        result[slot] = &queues_.at(number);
    return result;
}

void GuardTest::setRules(const std::vector<std::pair<std::string, int>>& rules) {
    std::vector<GuardRule> compiled;
    for (const auto& [pattern, number] : rules)
        compiled.push_back({(isAnyUnitName(pattern) ? Glob::exact(pattern) : Glob::compile(pattern)).value(),
                            number == 0 ? std::nullopt : std::optional<QueueSlot>(slot(number)),
                            isOfUserManager(pattern)});
    const auto set = guard().setRules(compiled);
    ASSERT_TRUE(set) << set.error().message;
}

int GuardTest::heldQueue(const std::string& cgroup) {
    const auto holds = guard().held();
    EXPECT_TRUE(holds);
    for (const auto& hold : *holds)
        if (hold.cgroup == idOf(cgroup))
            for (const auto& [number, slot] : slots_)
                if (slot == hold.slot)
                    return number;
    return 0;
}

bool GuardTest::isHeld(const std::string& cgroup) { return heldQueue(cgroup) != 0; }

void GuardTest::grace() {
    const auto ticket = guard().startGrace();
    ASSERT_TRUE(ticket);
    ASSERT_TRUE(eventually([&] { return guard().finishedGrace() >= *ticket; }));
}

void GuardTest::attachAndRelease(const std::string& cgroup, int number, Links& links) {
    links = attachQueue(queue(number), openCgroup(cgroup).get());
    ASSERT_FALSE(links.empty());
    grace();
    const auto released = guard().release(idOf(cgroup));
    ASSERT_TRUE(released && *released);
}

void* mapShared(std::size_t size) {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fatal("mmap");
    return memory;
}

void unmapShared(void* memory, std::size_t size) { ::munmap(memory, size); }

} // namespace filterd::bed
