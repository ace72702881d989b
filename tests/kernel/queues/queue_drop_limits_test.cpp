// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// How many drops are reported, also without a daemon, and where the kernel refuses the reports.

#include "drops_bed.hpp"

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
    EXPECT_EQ(undelivered(), sent - reports.size());
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
    EXPECT_EQ(undelivered(), 0U);
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
    EXPECT_GT(undelivered(), 0U);
    const auto reports = drain();
    EXPECT_GT(reports.size(), 10 * kBurst);
    EXPECT_EQ(reports.size() + undelivered(), sent);
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
    EXPECT_EQ(undelivered(), 0U);
}

TEST_F(Drops, ReportsOutliveARestartAndGoOn) {
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    use(unit, Direction::Egress, {judge.instance});
    for (std::size_t i = 0; i < 2 * kBurst; ++i)
        EXPECT_FALSE(sendTo(unit.socket(), kDroppedPort));
    restart();
    const auto reports = drain();
    EXPECT_GE(reports.size(), kBurst);
    EXPECT_EQ(reports.size() + undelivered(), 2 * kBurst);
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
    EXPECT_EQ(undelivered(), 0U);
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
    const auto undelivered = reports.undelivered();
    ASSERT_FALSE(undelivered);
    EXPECT_NE(undelivered.error().message.find("no memory for it"), std::string::npos)
        << undelivered.error().message;
}

} // namespace
} // namespace filterd::test
