// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Holds what the guard's tests stand on: cgroups, sockets, fused queues, and a stand-in for the daemon.

#include "base/unique_fd.hpp"
#include "edge/guard/guard.hpp"
#include "ports/guard_port.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <set>
#include <string>
#include <sys/types.h>
#include <vector>

namespace filterd::bed {

inline constexpr const char* kBpffs = "/sys/fs/bpf/filterd-guard-test";
inline constexpr const char* kCgroups = "/sys/fs/cgroup";
inline constexpr const char* kOutside =
    "outside.scope"; // no rule covers it: receivers and senders live there
inline constexpr int kOpenPort = 9000;

// A number from the environment, so that CI runs a few starts and a release thousands.
[[nodiscard]] int fromEnvironment(const char* variable, int otherwise);

// Calls `condition` until it holds or the time is over.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::milliseconds(5000));

// ---- cgroups, by their path below the root
[[nodiscard]] std::string cgroupPath(const std::string& name);
void makeCgroup(const std::string& name);
void removeCgroup(const std::string& name); // waits until it can go
void removeAllCgroups();
void enterCgroup(const std::string& name); // this process; "" is the root
[[nodiscard]] CgroupId idOf(const std::string& name);
[[nodiscard]] UniqueFd openCgroup(const std::string& name);
// A child of this process that was never in another cgroup.
[[nodiscard]] pid_t startInside(const std::string& name, const std::function<void()>& body);
[[nodiscard]] pid_t startChild(const std::function<void()>& body);
void endChild(pid_t child);
bool awaitChild(pid_t child); // true: it ended well in time

// ---- sockets. A socket keeps the cgroup it was made in.
enum class Family { V4, V6, DualStack }; // DualStack: IPv4 through IPv6 sockets
inline constexpr std::array kFamilies{Family::V4, Family::V6, Family::DualStack};

[[nodiscard]] UniqueFd udpSocket(Family family);
[[nodiscard]] UniqueFd udpReceiver(Family family, int port, std::uint32_t address = INADDR_LOOPBACK);
bool sendTo(int socket, Family family, int port, std::uint32_t address = INADDR_LOOPBACK);
int receiveAll(int socket);

[[nodiscard]] UniqueFd tcpListener(Family family, int port);
// Sends `bytes` to the listener and back. -1: it connected but broke.
[[nodiscard]] int tcpExchange(Family family, int port, int listener, int connectMilliseconds, int bytes);

// ---- queues: the test filters, fused as the daemon fuses them
struct TestQueue {
    std::array<UniqueFd, 2> attached; // by Direction
    std::array<UniqueFd, 2> interim;

    [[nodiscard]] int attachedProgram(Direction direction) const {
        return attached[indexOf(direction)].get();
    }
};

class QueueFactory {
  public:
    QueueFactory();
    ~QueueFactory();
    QueueFactory(const QueueFactory&) = delete;
    QueueFactory& operator=(const QueueFactory&) = delete;
    [[nodiscard]] TestQueue make(const GuardPort& guard, const std::vector<std::string>& filters);
    [[nodiscard]] int program(const std::string& filter); // loaded alone

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

using Links = std::vector<UniqueFd>;
[[nodiscard]] Links attachQueue(const TestQueue& queue, int cgroup);

// ---- the daemon's part
struct KeeperOptions {
    bool grace = true;                         // false: a broken daemon
    bool forgetsVanished = false;              // true: a broken daemon
    std::map<std::string, QueueSlot> byPrefix; // a daemon without holds: it walks the tree for these names
    std::chrono::milliseconds delay{};         // before it attaches
};

class Keeper {
  public:
    using Queues = std::map<QueueSlot, const TestQueue*>;
    Keeper(GuardPort& guard, Queues queues, KeeperOptions options = {})
        : guard_(guard), queues_(std::move(queues)), options_(options) {}

    std::function<void(const std::string& path)> onReleased = [](const std::string&) {};

    // Waits for events at most that long and does what there is to do.
    void step(int milliseconds);
    void attachHeld();
    void finishGraces();
    [[nodiscard]] bool isAttached(CgroupId cgroup) const { return links_.contains(cgroup); }

  private:
    void attach(const Hold& hold);
    void attachByName();
    void release(CgroupId cgroup);

    GuardPort& guard_;
    Queues queues_;
    KeeperOptions options_;
    std::map<CgroupId, Links> links_;
    std::map<CgroupId, std::string> paths_;
    std::multimap<GraceTicket, CgroupId> waiting_;
};

// ---- one guard per test
class GuardTest : public ::testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    // `object`: a name below the test objects' directory; empty: what the daemon ships.
    void open(const std::string& object = {});
    [[nodiscard]] GuardPort& guard() { return *guard_; }
    [[nodiscard]] QueueFactory& factory() { return *factory_; }
    // Standard queues: 1 drops port 9999, 2 drops port 9998, 3 (egress) has verdicts 2 and 3.
    [[nodiscard]] const TestQueue& queue(int number);
    [[nodiscard]] QueueSlot slot(int number);
    [[nodiscard]] Keeper::Queues queuesBySlot();
    // Queue 0: not guarded.
    void setRules(const std::vector<std::pair<std::string, int>>& rules);

    [[nodiscard]] bool isHeld(const std::string& cgroup);
    [[nodiscard]] int heldQueue(const std::string& cgroup); // number of the queue; 0: not held
    void grace();
    void attachAndRelease(const std::string& cgroup, int number, Links& links);

    std::unique_ptr<GuardPort> guard_;

  private:
    std::unique_ptr<QueueFactory> factory_;
    std::map<int, TestQueue> queues_;
    std::map<int, QueueSlot> slots_;
};

[[nodiscard]] std::vector<std::byte> testObject(const std::string& name);

// Memory shared with the children of a test.
template<typename T>
class Shared {
  public:
    Shared();
    ~Shared();
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    T* operator->() const { return value_; }
    T& operator*() const { return *value_; }

  private:
    T* value_;
};

[[nodiscard]] void* mapShared(std::size_t size);
void unmapShared(void* memory, std::size_t size);

template<typename T>
Shared<T>::Shared() : value_(new (mapShared(sizeof(T))) T()) {}
template<typename T>
Shared<T>::~Shared() {
    unmapShared(value_, sizeof(T));
}

} // namespace filterd::bed
