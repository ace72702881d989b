// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What queues report of the packets that they drop, with real packets.

#include "queue_bed.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <barrier>
#include <cstring>
#include <ctime>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

namespace filterd::test {
namespace {

constexpr std::size_t kBurst = 100; // bpf/drops.bpf.c
constexpr double kPerSecond = 100;
constexpr std::size_t kHeaders = 28; // of IPv4 and UDP

std::uint64_t bootTime() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

struct Loopback {
    int family;
    std::uint16_t ethertype;
    std::size_t headers; // of IP and UDP
    sockaddr_storage address{};
    socklen_t size;
};

Loopback loopback(int family, int port) {
    Loopback result{family, 0x0800, kHeaders, {}, sizeof(sockaddr_in)};
    if (family == AF_INET) {
        const sockaddr_in to{AF_INET, htons(static_cast<std::uint16_t>(port)), {htonl(INADDR_LOOPBACK)}, {}};
        std::memcpy(&result.address, &to, sizeof to);
        return result;
    }
    result.ethertype = 0x86dd;
    result.headers = 48;
    result.size = sizeof(sockaddr_in6);
    const sockaddr_in6 to{AF_INET6, htons(static_cast<std::uint16_t>(port)), 0, IN6ADDR_LOOPBACK_INIT, 0};
    std::memcpy(&result.address, &to, sizeof to);
    return result;
}

const sockaddr* generic(const Loopback& to) { return reinterpret_cast<const sockaddr*>(&to.address); }

bool sendText(int socket, const Loopback& to, std::string_view text) {
    return ::sendto(socket, text.data(), text.size(), 0, generic(to), to.size) ==
           static_cast<ssize_t>(text.size());
}

class Drops : public KernelTest {
  protected:
    std::vector<DropReport> drain() {
        std::vector<DropReport> reports;
        const auto drained =
            kernel().dropReports().drain([&](const DropReport& report) { reports.push_back(report); });
        EXPECT_TRUE(drained) << drained.error().message;
        return reports;
    }
    // Those of a number of packets that have been dropped.
    std::vector<DropReport> wait(std::size_t count) {
        std::vector<DropReport> reports;
        eventually([&] {
            for (auto& report : drain())
                reports.push_back(std::move(report));
            return reports.size() >= count;
        });
        EXPECT_EQ(reports.size(), count);
        reports.resize(count);
        return reports;
    }
    std::uint64_t lost() {
        const auto count = kernel().dropReports().lost();
        EXPECT_TRUE(count) << count.error().message;
        return count.value_or(0);
    }
    // A filter and the kernel's id of its program.
    struct Named {
        FilterInstance instance;
        std::uint32_t program;
    };
    Named named(const std::string& name, const std::string& program,
                const std::string& object = "queue_filters") {
        const auto facts = tryLoad(name, program, object);
        EXPECT_TRUE(facts) << facts.error().message;
        return {facts->instance, facts->programId};
    }
    void useLogOnly(const Unit& unit, Direction direction, const FilterInstance& filter) {
        Queue queue{direction, {filter}, false, Fallback::Allow};
        queue.logOnly = true;
        ASSERT_TRUE(kernel().buildQueue(queue));
        put(unit, queue);
    }
};

// ---- what a report says ---------------------------------------------------------------------------------

class ReportedPacket : public Drops, public testing::WithParamInterface<std::tuple<int, Direction>> {};

TEST_P(ReportedPacket, IsThatOfTheUnitAndNamesTheFilter) {
    const auto [family, direction] = GetParam();
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    use(unit, direction, {load("before", "count"), judge.instance, load("after", "not_9998")});
    const auto to = loopback(family, kDroppedPort);
    const auto inside = unit.makeSocket(family);
    const UniqueFd outside(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const bool leaves = direction == Direction::Egress;
    ASSERT_EQ(::bind((leaves ? outside : inside).get(), generic(to), to.size), 0);
    const auto before = bootTime();
    EXPECT_EQ(sendText((leaves ? inside : outside).get(), to, "why was it dropped"), !leaves);
    const auto report = wait(1).front();
    EXPECT_GE(report.bootTime, before);
    EXPECT_LE(report.bootTime, bootTime());
    EXPECT_EQ(report.cgroup, unit.cgroup().id);
    ASSERT_FALSE(report.ancestors.empty());
    EXPECT_EQ(report.ancestors.back(), unit.cgroup().id);
    EXPECT_EQ(report.direction, direction);
    EXPECT_EQ(report.programId, judge.program);
    EXPECT_FALSE(report.logOnly);
    EXPECT_FALSE(report.interim);
    EXPECT_EQ(report.length, to.headers + 18);
    EXPECT_EQ(report.protocol, to.ethertype);
    EXPECT_EQ(report.interface, ::if_nametoindex("lo"));
    ASSERT_EQ(report.packet.size(), report.length);
    EXPECT_EQ(report.packet[0] >> 4, family == AF_INET ? 4 : 6);
    const std::size_t ports = to.headers - 8;
    EXPECT_EQ(report.packet[ports + 2] << 8 | report.packet[ports + 3], kDroppedPort);
    EXPECT_EQ(
        std::string(report.packet.begin() + static_cast<std::ptrdiff_t>(to.headers), report.packet.end()),
        "why was it dropped");
}

INSTANTIATE_TEST_SUITE_P(Both, ReportedPacket,
                         testing::Combine(testing::Values(AF_INET, AF_INET6),
                                          testing::ValuesIn(kDirections)));

TEST_F(Drops, NothingIsSaidOfWhatPasses) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("judge", "not_9999")});
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_TRUE(drain().empty());
    EXPECT_EQ(lost(), 0U);
}

TEST_F(Drops, OfALongPacketTheBeginningIsReported) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("all", "drop")});
    const std::string text(1000, 'x');
    EXPECT_FALSE(sendText(unit.socket(), loopback(AF_INET, kOpenPort), text));
    EXPECT_FALSE(sendText(unit.socket(), loopback(AF_INET, kOpenPort), ""));
    const auto reports = wait(2);
    EXPECT_EQ(reports[0].length, kHeaders + text.size());
    EXPECT_EQ(reports[0].packet.size(), 128U);
    EXPECT_EQ(reports[1].length, kHeaders);
    EXPECT_EQ(reports[1].packet.size(), kHeaders);
}

// The descriptor is what wakes the daemon.
TEST_F(Drops, TheDescriptorIsReadableWhileThereAreReports) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("judge", "not_9999")});
    const int fd = kernel().dropReports().fd();
    ASSERT_GE(fd, 0);
    EXPECT_FALSE(isReadable(fd));
    EXPECT_FALSE(sendTo(unit.socket(), kDroppedPort));
    EXPECT_TRUE(eventually([&] { return isReadable(fd); }));
    EXPECT_EQ(wait(1).size(), 1U);
    EXPECT_FALSE(isReadable(fd));
}

// ---- every kind of queue --------------------------------------------------------------------------------

TEST_F(Drops, AGroupNamesTheFilterThatDropped) {
    const Unit unit("unit.service");
    std::vector<FilterInstance> filters;
    for (int i = 0; i < 150; ++i)
        filters.push_back(load("many-" + std::to_string(i), "count"));
    const auto judge = named("judge", "not_9999");
    filters.push_back(judge.instance);
    filters.push_back(load("late", "not_9998"));
    use(unit, Direction::Egress, filters);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    const auto report = wait(1).front();
    EXPECT_EQ(report.programId, judge.program);
    EXPECT_EQ(report.direction, Direction::Egress);
    EXPECT_EQ(dropsOf(counters(unit, Direction::Egress), "late"), 0U);
}

TEST_F(Drops, AFilterByTailCallIsNamed) {
    const Unit unit("unit.service");
    const auto other = named("other", "", "other_license");
    use(unit, Direction::Egress, {load("before", "not_9998"), other.instance});
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(wait(1).front().programId, other.program);
    EXPECT_FALSE(unit.sends(9998));
    EXPECT_NE(wait(1).front().programId, other.program);
}

TEST_F(Drops, AQueueThatCountsNothingReports) {
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    use(unit, Direction::Egress, {load("tail", "filter", "tail_call_egress"), judge.instance});
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(drain().size(), 1U);
}

TEST_F(Drops, WhatOnlyLogsReportsAndLetsPass) {
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    useLogOnly(unit, Direction::Egress, judge.instance);
    EXPECT_TRUE(unit.sends(kDroppedPort));
    const auto report = wait(1).front();
    EXPECT_TRUE(report.logOnly);
    EXPECT_EQ(report.programId, judge.program);
}

TEST_F(Drops, TheHoldQueueReportsNoFilter) {
    const Unit unit("unit.service");
    for (const auto direction : kDirections) {
        const Queue hold{direction, {}, true, Fallback::Allow};
        ASSERT_TRUE(kernel().buildQueue(hold));
        put(unit, hold);
    }
    EXPECT_FALSE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.receives(kOpenPort));
    const auto reports = wait(2);
    EXPECT_EQ(reports[0].direction, Direction::Egress);
    EXPECT_EQ(reports[1].direction, Direction::Ingress);
    for (const auto& report : reports) {
        EXPECT_EQ(report.programId, 0U);
        EXPECT_EQ(report.cgroup, unit.cgroup().id);
    }
}

TEST_F(Drops, OtherProgramsHaveSkbCbForThemselves) {
    const Unit unit("unit.service");
    const auto looks = load("looks", "private_cb");
    useLogOnly(unit, Direction::Egress, load("judge", "not_9999"));
    use(unit, Direction::Ingress, {looks});
    const UniqueFd program(::bpf_obj_get((std::string(kPins) + "/filters/looks").c_str()));
    const UniqueFd directory = unit.openDirectory();
    const UniqueFd link(::bpf_link_create(program.get(), directory.get(), BPF_CGROUP_INET_EGRESS, nullptr));
    ASSERT_TRUE(link);
    EXPECT_TRUE(unit.sends(kDroppedPort)) << "what runs behind a queue that reports finds skb->cb clear";
    EXPECT_EQ(drain().size(), 1U);
}

// ---- limits ---------------------------------------------------------------------------------------------

TEST_F(Drops, AFloodIsLimitedCountedAndDropped) {
    const Unit unit("unit.service");
    const Unit other("other.service");
    const auto queue = build(Direction::Egress, {load("judge", "not_9999")});
    put(unit, queue);
    put(other, queue);
    const auto receiver = udpReceiver(kDroppedPort);
    const std::size_t sent = 20000;
    const auto start = bootTime();
    std::vector<DropReport> reports;
    const auto take = [&](const DropReport& report) { reports.push_back(report); };
    for (std::size_t i = 0; i < sent; ++i) {
        EXPECT_FALSE(sendTo(unit.socket(), kDroppedPort));
        if (i % 100 == 0) {
            ASSERT_TRUE(kernel().dropReports().drain(take));
        }
    }
    const double seconds = static_cast<double>(bootTime() - start) / 1e9;
    ASSERT_TRUE(kernel().dropReports().drain(take));
    EXPECT_EQ(receiveAll(receiver.get()), 0);
    EXPECT_EQ(dropsOf(counters(unit, Direction::Egress), "judge"), sent);
    EXPECT_GE(reports.size(), kBurst);
    EXPECT_LE(static_cast<double>(reports.size()), static_cast<double>(kBurst) + seconds * kPerSecond + 1);
    EXPECT_EQ(lost(), sent - reports.size());
    // Others have limits of their own, and after a while there is more to tell.
    EXPECT_FALSE(sendTo(other.socket(), kDroppedPort));
    EXPECT_EQ(wait(1).front().cgroup, other.cgroup().id);
    EXPECT_TRUE(eventually([&] {
        EXPECT_FALSE(sendTo(unit.socket(), kDroppedPort));
        return !drain().empty();
    }));
}

// On two processors at once, of a unit that has dropped nothing before.
TEST_F(Drops, TheFirstTwoPacketsAreBothReported) {
    if (std::thread::hardware_concurrency() < 2)
        GTEST_SKIP() << "one processor drops one packet at a time";
    const auto queue = build(Direction::Egress, {load("judge", "not_9999")});
    constexpr std::size_t kUnits = 300;
    std::size_t reported = 0;
    for (std::size_t i = 0; i < kUnits; ++i) {
        const Unit unit("unit" + std::to_string(i) + ".service");
        put(unit, queue);
        const auto another = unit.makeSocket(AF_INET);
        std::barrier start(2);
        std::thread second([&] {
            start.arrive_and_wait();
            sendTo(another.get(), kDroppedPort);
        });
        start.arrive_and_wait();
        sendTo(unit.socket(), kDroppedPort);
        second.join();
        reported += drain().size();
    }
    EXPECT_EQ(reported, 2 * kUnits);
    EXPECT_EQ(lost(), 0U);
}

TEST_F(Drops, WithoutAReaderReportsAreLostAndNothingPasses) {
    const auto queue = build(Direction::Egress, {load("judge", "not_9999")});
    const auto receiver = udpReceiver(kDroppedPort);
    std::vector<std::unique_ptr<Unit>> units;
    std::size_t sent = 0;
    for (int i = 0; i < 30; ++i) {
        units.push_back(std::make_unique<Unit>("unit" + std::to_string(i) + ".service"));
        put(*units.back(), queue);
        for (std::size_t packet = 0; packet < kBurst; ++packet, ++sent)
            EXPECT_FALSE(sendTo(units.back()->socket(), kDroppedPort));
    }
    EXPECT_GT(lost(), 0U);
    const auto reports = drain();
    EXPECT_GT(reports.size(), 10 * kBurst);
    EXPECT_EQ(reports.size() + lost(), sent);
    EXPECT_EQ(receiveAll(receiver.get()), 0);
    EXPECT_FALSE(sendTo(units.back()->socket(), kDroppedPort));
}

TEST_F(Drops, ReadingEndsWhileOthersGoOnDropping) {
    const auto queue = build(Direction::Egress, {load("judge", "not_9999")});
    std::vector<std::unique_ptr<Unit>> units;
    constexpr std::size_t kUnits = 60;
    for (std::size_t i = 0; i < kUnits; ++i) {
        units.push_back(std::make_unique<Unit>("unit" + std::to_string(i) + ".service"));
        put(*units.back(), queue);
    }
    constexpr std::size_t kAll = (kUnits - 1) * kBurst;
    std::size_t sent = 0;
    std::size_t read = 0;
    const auto dropOne = [&] { EXPECT_FALSE(sendTo(units[sent++ % kUnits]->socket(), kDroppedPort)); };
    dropOne();
    const auto dropAnother = [&](const DropReport&) {
        ++read;
        if (sent < kAll)
            dropOne();
    };
    ASSERT_TRUE(kernel().dropReports().drain(dropAnother));
    EXPECT_GT(read, kAll / 2);
    EXPECT_LT(read, kAll);
    ASSERT_TRUE(kernel().dropReports().drain(dropAnother));
    EXPECT_EQ(read, kAll);
    EXPECT_EQ(lost(), 0U);
}

// ---- without a daemon, without the kernel ---------------------------------------------------------------

TEST_F(Drops, ReportsOutliveARestartAndGoOn) {
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    use(unit, Direction::Egress, {judge.instance});
    for (std::size_t i = 0; i < 2 * kBurst; ++i)
        EXPECT_FALSE(sendTo(unit.socket(), kDroppedPort));
    restart();
    const auto reports = drain();
    EXPECT_GE(reports.size(), kBurst);
    EXPECT_EQ(reports.size() + lost(), 2 * kBurst);
    EXPECT_EQ(reports.front().programId, judge.program);
    EXPECT_TRUE(eventually([&] {
        EXPECT_FALSE(sendTo(unit.socket(), kDroppedPort));
        return !drain().empty();
    }));
}

TEST_F(Drops, MapsOfAnotherVersionAreLeftToItsPrograms) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("judge", "not_9999")});
    const auto pin = std::string(kPins) + "/drop_lost";
    const UniqueFd another(::bpf_map_create(BPF_MAP_TYPE_ARRAY, "drop_lost", 4, 16, 3, nullptr));
    ASSERT_EQ(::unlink(pin.c_str()), 0);
    ASSERT_EQ(::bpf_obj_pin(another.get(), pin.c_str()), 0);
    restart();
    EXPECT_EQ(lost(), 0U);
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_TRUE(drain().empty()) << "the older programs write where nobody reads";
    use(unit, Direction::Egress, {load("judge", "not_9999", "queue_filters", "2")});
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(wait(1).size(), 1U);
}

// Takes everything but the reporter.
class RefusingIntake final : public ObjectIntake {
  public:
    Result<FilterProgram> load(const ObjectRequest& request) override {
        if (request.name.text() == "drops")
            return failure(ErrorCode::KernelRefused, "no memory for it");
        return intake_.load(request);
    }
    Result<ObjectOutline> inspect(const ObjectRequest& request) override { return intake_.inspect(request); }

  private:
    PlainIntake intake_;
};

TEST_F(Drops, WhereTheKernelRefusesThemQueuesDropWithoutAWord) {
    const Unit unit("unit.service");
    tearDownPins();
    RefusingIntake intake;
    BpfKernel kernel(intake, cgroups(), {kPins, records() + "/programs"});
    ASSERT_TRUE(kernel.adopt());
    const auto loaded =
        kernel.loadFilter({filterName("judge"), ElfObject{objectBytes("queue_filters")}, "not_9999"}, "1");
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_TRUE(kernel.publishFilter(loaded->instance));
    const Queue queue{Direction::Egress, {loaded->instance}, false, Fallback::Refuse};
    const auto built = kernel.buildQueue(queue);
    ASSERT_TRUE(built) << built.error().message;
    EXPECT_EQ(built->modeReason, "");
    ASSERT_TRUE(kernel.attachQueue(unit.cgroup(), Direction::Egress, idOf(queue)));
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(kernel.counters(unit.point(Direction::Egress))->passed, 1U);
    auto& reports = kernel.dropReports();
    EXPECT_EQ(reports.fd(), -1);
    EXPECT_TRUE(reports.drain([](const DropReport&) { ADD_FAILURE(); }));
    const auto lost = reports.lost();
    ASSERT_FALSE(lost);
    EXPECT_NE(lost.error().message.find("no memory for it"), std::string::npos) << lost.error().message;
}

} // namespace
} // namespace filterd::test
