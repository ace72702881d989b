// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "queue_bed.hpp"

#include "base/files.hpp"
#include "base/log.hpp"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace filterd::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr const char* kCgroups = "/sys/fs/cgroup";
constexpr std::uint32_t kUnitAddress = INADDR_LOOPBACK + 1;

[[noreturn]] void fatal(const std::string& what) {
    std::perror(what.c_str());
    std::_Exit(3);
}

void enterCgroup(const std::string& path) {
    const UniqueFd procs(::open((kCgroups + path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs || ::write(procs.get(), "0", 1) != 1)
        fatal("enter " + path);
}

UniqueFd udpSocket() {
    UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd)
        fatal("socket");
    return fd;
}

sockaddr_in addressOf(int port, std::uint32_t address) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(static_cast<std::uint16_t>(port));
    result.sin_addr.s_addr = htonl(address);
    return result;
}

UniqueFd boundTo(int port, std::uint32_t address) {
    auto fd = udpSocket();
    const auto at = addressOf(port, address);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0)
        fatal("bind " + std::to_string(port));
    return fd;
}

bool sendAt(int socket, int port, std::uint32_t address) {
    const auto to = addressOf(port, address);
    return ::sendto(socket, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1;
}

bool arrives(int receiver, int milliseconds) {
    pollfd ready{receiver, POLLIN, 0};
    return ::poll(&ready, 1, milliseconds) == 1;
}

constexpr int kPatienceMilliseconds = 2000; // what passes comes sooner
constexpr int kMarkerPort = 8999;

} // namespace

FilterName filterName(const std::string& text) { return FilterName::parse(text).value(); }

std::vector<std::byte> objectBytes(const std::string& name) {
    const auto text = readFile(fs::path(QUEUE_TEST_OBJECTS) / (name + ".bpf.o"), 1U << 22U);
    if (!text)
        fatal("read the object " + name);
    const auto* begin = reinterpret_cast<const std::byte*>(text->data());
    return {begin, begin + text->size()};
}

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

// ---- units ----------------------------------------------------------------------------------------------

Unit::Unit(const std::string& name) {
    cgroup_.path = "/" + name;
    const std::string directory = kCgroups + cgroup_.path;
    struct stat info {};
    if (::mkdir(directory.c_str(), 0755) < 0 || ::stat(directory.c_str(), &info) < 0)
        fatal("mkdir " + name);
    cgroup_.id = {info.st_ino};
    enterCgroup(cgroup_.path);
    sender_ = udpSocket();
    enterCgroup("");
}

Unit::~Unit() {
    closeSockets();
    removeDirectory();
}

void Unit::removeDirectory() {
    const std::string directory = kCgroups + cgroup_.path;
    eventually([&] { return ::rmdir(directory.c_str()) == 0 || errno == ENOENT; });
}

bool Unit::sends(int port) const {
    const auto receiver = udpReceiver(port);
    return sendTo(sender_.get(), port) && arrives(receiver.get(), kPatienceMilliseconds);
}

// The loopback keeps the order: what is not there when the marker is has been dropped.
bool Unit::receives(int port) const {
    enterCgroup(cgroup_.path);
    const auto receiver = boundTo(port, kUnitAddress);
    enterCgroup("");
    const auto marker = udpReceiver(kMarkerPort);
    const auto sender = udpSocket();
    if (!sendAt(sender.get(), port, kUnitAddress) || !sendTo(sender.get(), kMarkerPort) ||
        !arrives(marker.get(), kPatienceMilliseconds))
        fatal("send to a unit");
    return arrives(receiver.get(), 5);
}

UniqueFd Unit::makeSocket(int family) const {
    enterCgroup(cgroup_.path);
    UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    enterCgroup("");
    if (!fd)
        fatal("socket");
    return fd;
}

UniqueFd Unit::openDirectory() const {
    return UniqueFd(::open((kCgroups + cgroup_.path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::vector<std::uint32_t> Unit::programs(Direction direction) const {
    const UniqueFd directory = openDirectory();
    std::vector<std::uint32_t> ids(64);
    __u32 flags = 0;
    auto count = static_cast<__u32>(ids.size());
    const auto type = direction == Direction::Ingress ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS;
    if (::bpf_prog_query(directory.get(), type, 0, &flags, ids.data(), &count) < 0)
        fatal("query the programs of " + cgroup_.path);
    ids.resize(count);
    return ids;
}

UniqueFd udpReceiver(int port) { return boundTo(port, INADDR_LOOPBACK); }
bool sendTo(int socket, int port) { return sendAt(socket, port, INADDR_LOOPBACK); }

bool isReadable(int fd) { return arrives(fd, 0); }

int receiveAll(int socket) {
    char byte = 0;
    int received = 0;
    while (::recv(socket, &byte, 1, MSG_DONTWAIT) > 0)
        ++received;
    return received;
}

std::uint32_t verdictOf(int program, int port) {
    std::array<std::uint8_t, 64> packet{};
    packet[12] = 0x08; // Ethernet: IPv4
    packet[14] = 0x45;
    packet[23] = IPPROTO_UDP;
    packet[36] = static_cast<std::uint8_t>(port >> 8);
    packet[37] = static_cast<std::uint8_t>(port & 0xff);
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = packet.data();
    options.data_size_in = packet.size();
    options.repeat = 1;
    if (::bpf_prog_test_run_opts(program, &options) < 0)
        fatal("run a program");
    return options.retval;
}

// ---- killing --------------------------------------------------------------------------------------------

namespace {

bool changesSomething(std::uint64_t call) {
    switch (call) {
    case SYS_bpf:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_unlinkat:
    case SYS_mkdirat:
#ifdef SYS_rename
    case SYS_rename:
    case SYS_unlink:
    case SYS_mkdir:
    case SYS_rmdir:
#endif
        return true;
    default:
        return false;
    }
}

// The next stop at the beginning of a call that changes something; false when the child has ended.
bool runToChange(pid_t child) {
    for (;;) {
        if (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) < 0)
            fatal("continue a child");
        int status = 0;
        if (::waitpid(child, &status, 0) != child)
            fatal("wait for a child");
        if (!WIFSTOPPED(status)) {
            EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child failed";
            return false;
        }
        __ptrace_syscall_info info{};
        const auto size = ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
        if (size > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY && changesSomething(info.entry.nr))
            return true;
    }
}

} // namespace

bool killedAtStep(int step, const std::function<void()>& function) {
    const pid_t child = ::fork();
    if (child < 0)
        fatal("fork");
    if (child == 0) {
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::raise(SIGSTOP);
        function();
        std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (int at = 1; runToChange(child); ++at)
        if (at == step) {
            ::kill(child, SIGKILL);
            ::waitpid(child, &status, 0);
            return true;
        }
    return false;
}

// ---- the daemon's kernel side ---------------------------------------------------------------------------

void KernelTest::SetUp() {
    log::initialise(spdlog::level::off);
    std::string directory = fs::temp_directory_path() / "filterd-queues-XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr)
        fatal("mkdtemp");
    records_ = directory;
    restart();
}

void KernelTest::TearDown() {
    tearDownPins();
    fs::remove_all(records_);
}

void KernelTest::tearDownPins() {
    kernel_.reset();
    fs::remove_all(kPins);
}

void KernelTest::restart() {
    kernel_ = std::make_unique<BpfKernel>(intake_, cgroups_, BpfDirectories{kPins, records_ + "/programs"});
    auto adopted = kernel_->adopt();
    ASSERT_TRUE(adopted) << adopted.error().message;
    state_ = std::move(*adopted);
}

Result<FilterFacts> KernelTest::tryLoad(const std::string& name, const std::string& program,
                                        const std::string& object, const std::string& digest) {
    const auto loaded =
        kernel().loadFilter({filterName(name), ElfObject{objectBytes(object)}, program}, digest);
    return loaded ? kernel().publishFilter(loaded->instance) : loaded;
}

FilterInstance KernelTest::load(const std::string& name, const std::string& program,
                                const std::string& object, const std::string& digest) {
    const auto loaded = tryLoad(name, program, object, digest);
    EXPECT_TRUE(loaded) << loaded.error().message;
    return {filterName(name), digest};
}

Queue KernelTest::build(Direction direction, std::vector<FilterInstance> filters) {
    Queue queue{direction, std::move(filters), false, Fallback::Allow};
    const auto built = kernel().buildQueue(queue);
    EXPECT_TRUE(built) << built.error().message;
    return queue;
}

void KernelTest::put(const Unit& unit, const Queue& queue) {
    const auto done = kernel().replaceQueue(unit.cgroup(), queue.direction, idOf(queue));
    ASSERT_TRUE(done) << done.error().message;
}

void KernelTest::use(const Unit& unit, Direction direction, std::vector<FilterInstance> filters) {
    put(unit, build(direction, std::move(filters)));
}

std::map<std::string, LinkState> KernelTest::links() const {
    std::map<std::string, LinkState> result;
    for (const auto& entry : fs::directory_iterator(std::string(kPins) + "/links")) {
        const UniqueFd link(::bpf_obj_get(entry.path().c_str()));
        bpf_link_info info{};
        __u32 size = sizeof info;
        if (!link || ::bpf_obj_get_info_by_fd(link.get(), &info, &size) < 0)
            fatal("read " + entry.path().string());
        result[entry.path().filename()] = {info.id, info.prog_id, info.cgroup.cgroup_id};
    }
    return result;
}

QueueCounters KernelTest::counters(const Unit& unit, Direction direction) {
    const auto counted = kernel().counters(unit.point(direction));
    EXPECT_TRUE(counted) << counted.error().message;
    return counted.value_or(QueueCounters{});
}

std::uint64_t KernelTest::dropsOf(const QueueCounters& counters, const std::string& filter) {
    for (const auto& drops : counters.dropped)
        if (drops.filter.text() == filter)
            return drops.packets;
    return 0;
}

} // namespace filterd::test
