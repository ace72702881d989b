// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Reports of dropped packets find their unit and filter, whatever has happened to both meanwhile.

#include "app/drops/drop_monitor.hpp"
#include "firewall_bed.hpp"

namespace filterd::test {
namespace {

class FakeReports final : public DropReports {
  public:
    int fd() const override { return -1; }
    Status drain(const std::function<void(const DropReport&)>& take) override {
        for (const auto& report : std::exchange(waiting, {}))
            take(report);
        return {};
    }
    Result<std::uint64_t> undelivered() override { return 7; }

    std::vector<DropReport> waiting;
};

struct Listener final : Observer {
    explicit Listener(std::vector<Drop>& drops) : told(drops) {}
    void packetDropped(const Drop& drop) override { told.push_back(drop); }
    std::vector<Drop>& told;
};

class DropMonitorTest : public FirewallBed {
  protected:
    static constexpr CgroupId kSlice{10};
    static constexpr CgroupId kUnit{20};

    void SetUp() override {
        load("count");
        load("port");
    }
    [[nodiscard]] std::uint32_t program(const std::string& filter) const {
        return firewall.filters().all().at(filterName(filter)).programId;
    }
    // Tells of a packet of the unit, dropped by this program.
    DropOrigin tell(std::uint32_t programId, bool interim = false,
                    std::vector<CgroupId> ancestors = {kSlice, kUnit, {30}}) {
        DropReport report;
        report.cgroup = ancestors.back();
        report.ancestors = std::move(ancestors);
        report.programId = programId;
        report.interim = interim;
        reports.waiting.push_back(report);
        told.clear();
        monitor.look(1'000);
        EXPECT_EQ(told.size(), 1U);
        return told.empty() ? DropOrigin{} : told.front().origin;
    }
    static DropOrigin origin(const std::string& unit, const std::string& filter) { return {unit, filter}; }

    FakeReports reports;
    std::vector<Drop> told;
    Listener listener{told};
    DropMonitor monitor{reports, DropOrigins(firewall.inForce()), listener};
};

TEST_F(DropMonitorTest, FindsTheUnitAboveTheSocketsCgroup) {
    const auto unit = start("web.service", kUnit.value);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"count", "port"})));
    EXPECT_EQ(tell(program("port")), origin("web.service", "port"));
    EXPECT_EQ(monitor.sums("web.service", 1'000).size(), 1U);
    tree.remove(unit);
    static_cast<void>(firewall.units().vanished(kUnit)); // a socket lives on, and so does the link
    EXPECT_EQ(tell(program("port")), origin("web.service", "port"));
}

TEST_F(DropMonitorTest, FindsWhoseQueueOfSeveralHasTheFilter) {
    start("system-web.slice", kSlice.value);
    start("web.service", kUnit.value);
    ASSERT_TRUE(firewall.queues().set(rule("system-web.slice", {"port"})));
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"count"})));
    EXPECT_EQ(tell(program("port")), origin("system-web.slice", "port"));
    EXPECT_EQ(tell(program("count")), origin("web.service", "count"));
}

TEST_F(DropMonitorTest, KnowsFiltersThatAreReplacedOrGone) {
    start("web.service", kUnit.value);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"port"})));
    const auto old = program("port");
    auto changed = request("port", "y");
    changed.replace = true;
    ASSERT_TRUE(firewall.filters().load(changed));
    ASSERT_NE(program("port"), old);
    EXPECT_EQ(tell(old), origin("web.service", "port"));
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"count"})));
    ASSERT_TRUE(firewall.filters().unload(filterName("port")));
    EXPECT_EQ(tell(old), origin("web.service", "port"));
    EXPECT_EQ(tell(987'654), origin("web.service", "program 987654"));
}

TEST_F(DropMonitorTest, FindsTheUnitThatIsJustBeingMade) {
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"port"})));
    EXPECT_EQ(tell(program("port"), true), origin("", "port")); // nobody can know
    tree.add("web.service", kUnit.value);                       // the daemon was not told yet
    EXPECT_EQ(tell(program("port"), true), origin("web.service", "port"));
    EXPECT_EQ(tell(0, true), origin("web.service", ""));
}

TEST_F(DropMonitorTest, TellsOnceOfAPacketThatTheGateHasDroppedAsWell) {
    DropReport report;
    report.cgroup = kUnit;
    report.bootTime = 1'000'000'000;
    report.packet = {0x45, 1};
    auto other = report; // of another processor
    other.packet = {0x45, 2};
    auto byGate = report;
    byGate.interim = true;
    byGate.bootTime += 5'000;
    auto later = byGate;
    later.bootTime += 2'000'000'000;
    reports.waiting = {report, other, byGate, report, later};
    monitor.look(1'000);
    EXPECT_EQ(told.size(), 4U); // all but what the gate has told again
}

TEST_F(DropMonitorTest, TellsOfAUnitThatIsHeld) {
    start("web.service", kUnit.value);
    kernel.unbuildable.insert("port");
    auto failing = rule("web*.service", {"port"});
    failing.source = "/etc/filterd/web.queue";
    Configuration files;
    files.rules = {failing};
    ASSERT_TRUE(firewall.files().configure(files));
    ASSERT_EQ(ingress(kUnit.value), Names{"HOLD"});
    EXPECT_EQ(tell(0), origin("web.service", ""));
}

TEST_F(DropMonitorTest, WakesUpOnlyForWhatItHasKeptBack) {
    start("web.service", kUnit.value);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"port"})));
    tell(program("port"));
    EXPECT_FALSE(monitor.look(2'000));
    for (int packet = 0; packet < 10; ++packet)
        tell(program("port"));
    const auto next = monitor.look(2'000);
    ASSERT_TRUE(next);
    EXPECT_FALSE(monitor.look(*next));
}

TEST_F(DropMonitorTest, KnowsHowManyReportsWereNotDelivered) { EXPECT_EQ(monitor.undelivered().value(), 7U); }

TEST_F(DropMonitorTest, NamesUnitsAsTheyAreFound) {
    EXPECT_EQ(firewall.units().nameForDrops("web.service").value(), "web.service");
    EXPECT_EQ(firewall.units().nameForDrops("web").error().code, ErrorCode::InvalidName);
    EXPECT_EQ(firewall.units().nameForDrops("").error().code, ErrorCode::InvalidName);
}

} // namespace
} // namespace filterd::test
