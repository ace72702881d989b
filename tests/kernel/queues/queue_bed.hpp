// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Holds what the tests of filters and queues stand on: units with real sockets, a daemon's kernel side that
// can be restarted, and what is pinned and attached by now.

#include "edge/bpf/bpf_kernel.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "tests/shared/plain_intake.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace filterd::test {

inline constexpr const char* kPins = "/sys/fs/bpf/filterd";
inline constexpr int kOpenPort = 9000;
inline constexpr int kDroppedPort = 9999;

[[nodiscard]] FilterName filterName(const std::string& text);
[[nodiscard]] std::vector<std::byte> objectBytes(const std::string& name);

// Calls `condition` until it holds; false if it does not in five seconds.
bool eventually(const std::function<bool()>& condition);

// A cgroup and UDP sockets that were made in it.
class Unit {
  public:
    explicit Unit(const std::string& name);
    ~Unit();
    Unit(const Unit&) = delete;
    Unit& operator=(const Unit&) = delete;

    [[nodiscard]] const Cgroup& cgroup() const { return cgroup_; }
    [[nodiscard]] AttachPoint point(Direction direction) const { return {cgroup_.id, direction}; }
    // Whether a datagram to this port arrives: from the unit, to the unit.
    [[nodiscard]] bool sends(int port) const;
    [[nodiscard]] bool receives(int port) const;
    [[nodiscard]] int socket() const { return sender_.get(); }
    [[nodiscard]] UniqueFd makeSocket(int family) const; // for datagrams, of the unit
    [[nodiscard]] UniqueFd openDirectory() const;
    // The kernel ids of the programs that are attached here, in order.
    [[nodiscard]] std::vector<std::uint32_t> programs(Direction direction) const;

    void removeDirectory(); // its sockets live on
    void closeSockets() { sender_.reset(); }

  private:
    Cgroup cgroup_;
    UniqueFd sender_;
};

// A socket of no unit.
[[nodiscard]] UniqueFd udpReceiver(int port);
// False if the kernel refused it.
bool sendTo(int socket, int port);
int receiveAll(int socket);
[[nodiscard]] bool isReadable(int fd);

// The verdict for a UDP datagram to this port.
[[nodiscard]] std::uint32_t verdictOf(int program, int port);

struct LinkState {
    std::uint32_t id = 0;
    std::uint32_t program = 0;
    std::uint64_t cgroup = 0;
    bool operator==(const LinkState&) const = default;
};

// Runs the function in a child that is killed before its step-th system call that changes anything. True if
// it was killed, false if it came to its end.
bool killedAtStep(int step, const std::function<void()>& function);

class KernelTest : public ::testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    // A new daemon finds what the old one left.
    void restart();
    [[nodiscard]] const KernelState& state() const { return state_; }
    [[nodiscard]] BpfKernel& kernel() { return *kernel_; }
    [[nodiscard]] CgroupFs& cgroups() { return cgroups_; }
    [[nodiscard]] const std::string& records() const { return records_; }

    // Loads and publishes a program of an object, by default of queue_filters.
    FilterInstance load(const std::string& name, const std::string& program,
                        const std::string& object = "queue_filters", const std::string& digest = "1");
    [[nodiscard]] Result<FilterFacts> tryLoad(const std::string& name, const std::string& program,
                                              const std::string& object = "queue_filters",
                                              const std::string& digest = "1");
    Queue build(Direction direction, std::vector<FilterInstance> filters);
    void put(const Unit& unit, const Queue& queue);
    void use(const Unit& unit, Direction direction, std::vector<FilterInstance> filters);
    void tearDownPins();

    [[nodiscard]] std::map<std::string, LinkState> links() const; // by the name of the pin
    [[nodiscard]] QueueCounters counters(const Unit& unit, Direction direction);
    [[nodiscard]] static std::uint64_t dropsOf(const QueueCounters& counters, const std::string& filter);

  private:
    std::string records_;
    PlainIntake intake_;
    CgroupFs cgroups_ = CgroupFs::create("/sys/fs/cgroup").value();
    std::unique_ptr<BpfKernel> kernel_;
    KernelState state_;
};

} // namespace filterd::test
