// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Queues change while packets flow, and fail to change.

#include "app/firewall.hpp"
#include "queue_bed.hpp"
#include "unit/app/fakes.hpp"

#include <atomic>
#include <thread>

namespace filterd::test {
namespace {

// ---- all or none (I2) -----------------------------------------------------------------------------------

class WholeFirewall : public KernelTest {
  protected:
    static LoadRequest request(const std::string& name, const std::string& object,
                               const std::string& program) {
        LoadRequest request{filterName(name), ElfObject{objectBytes(object)}, program, false, true, ":1.1"};
        return request;
    }
    static Rule rule(const std::string& target, const std::vector<std::string>& egress, Fallback fallback) {
        Rule rule;
        rule.targets = {target};
        rule.fallback = fallback;
        for (const auto& name : egress)
            rule.egress.push_back(filterName(name));
        return rule;
    }
};

TEST_F(WholeFirewall, AFailedReplacementOfAFilterChangesNothingAnywhere) {
    const Unit lax("lax.service");
    const Unit strict("strict.service");
    FakeStore store;
    NoCrashes crashes;
    Firewall firewall({kernel(), cgroups(), store, crashes});
    ASSERT_TRUE(firewall.start({}, true));
    ASSERT_TRUE(firewall.filters().load(request("f", "queue_filters", "not_9999")));
    ASSERT_TRUE(firewall.filters().load(request("g", "queue_filters", "not_9998")));
    ASSERT_TRUE(firewall.queues().set(rule("lax.service", {"f", "g"}, Fallback::Allow)));
    ASSERT_TRUE(firewall.queues().set(rule("strict.service", {"g", "f"}, Fallback::Refuse)));
    const auto before = links();
    ASSERT_EQ(before.size(), 2U);
    // Fits into the first queue, but not into the second.
    const auto refused = firewall.filters().load(request("f", "storage", ""));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unsupported) << refused.error().message;
    EXPECT_EQ(links(), before);
    for (const auto* unit : {&lax, &strict}) {
        EXPECT_TRUE(unit->sends(kOpenPort));
        EXPECT_FALSE(unit->sends(9999));
        EXPECT_FALSE(unit->sends(9998));
    }
    // What fits everywhere takes effect everywhere, by updates of the same links.
    ASSERT_TRUE(firewall.filters().load(request("f", "queue_filters", "drop")));
    EXPECT_FALSE(lax.sends(kOpenPort));
    EXPECT_FALSE(strict.sends(kOpenPort));
    const auto after = links();
    ASSERT_EQ(after.size(), before.size());
    for (const auto& [name, link] : after)
        EXPECT_EQ(link.id, before.at(name).id);
}

TEST_F(WholeFirewall, AFailedRuleChangesNothing) {
    const Unit unit("unit.service");
    FakeStore store;
    NoCrashes crashes;
    Firewall firewall({kernel(), cgroups(), store, crashes});
    ASSERT_TRUE(firewall.start({}, true));
    ASSERT_TRUE(firewall.filters().load(request("f", "queue_filters", "not_9999")));
    ASSERT_TRUE(firewall.filters().load(request("s", "storage", "")));
    ASSERT_TRUE(firewall.queues().set(rule("unit.service", {"f"}, Fallback::Allow)));
    const auto before = links();
    EXPECT_FALSE(firewall.queues().set(rule("*.service", {"s"}, Fallback::Refuse)));
    EXPECT_FALSE(
        firewall.queues().set(rule("unit.service", std::vector<std::string>(65, "s"), Fallback::Allow)));
    EXPECT_EQ(links(), before);
    EXPECT_FALSE(unit.sends(kDroppedPort));
}

// ---- under a flood (I1) ---------------------------------------------------------------------------------

// Sends to both ports as fast as it can, from a socket of the unit.
class Flood {
  public:
    explicit Flood(const Unit& unit)
        : open_(udpReceiver(kOpenPort)), dropped_(udpReceiver(kDroppedPort)), thread_([this, &unit] {
              while (!stop_) {
                  leaked_ += sendTo(unit.socket(), kDroppedPort) ? 1 : 0;
                  sent_ += 1;
                  refused_ += sendTo(unit.socket(), kOpenPort) ? 0 : 1;
                  received_ += receiveAll(open_.get());
              }
          }) {}
    ~Flood() { stop(); }
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;

    void stop() {
        stop_ = true;
        if (thread_.joinable())
            thread_.join();
        received_ += receiveAll(open_.get());
    }
    [[nodiscard]] int sent() const { return sent_; }
    [[nodiscard]] int refused() const { return refused_; }
    [[nodiscard]] int received() const { return received_; }
    [[nodiscard]] int leaked() const { return leaked_ + receiveAll(dropped_.get()); }

  private:
    UniqueFd open_;
    UniqueFd dropped_;
    std::atomic<bool> stop_ = false;
    std::atomic<int> sent_ = 0;
    std::atomic<int> refused_ = 0;
    std::atomic<int> received_ = 0;
    std::atomic<int> leaked_ = 0;
    std::thread thread_;
};

void expectWatertight(Flood& flood) {
    flood.stop();
    EXPECT_GT(flood.sent(), 1000);
    EXPECT_EQ(flood.leaked(), 0);
    EXPECT_EQ(flood.refused(), 0);
    EXPECT_EQ(flood.received(), flood.sent());
}

class Changes : public KernelTest {
  protected:
    // One queue after the other, again and again, while packets arrive.
    void changeUnderFlood(const Unit& unit, const std::vector<Queue>& queues, int rounds) {
        put(unit, queues[0]);
        Flood flood(unit);
        for (int round = 0; round < rounds && !HasFailure(); ++round)
            put(unit, queues[static_cast<std::size_t>(round) % queues.size()]);
        eventually([&] { return flood.sent() > 3000; });
        expectWatertight(flood);
    }
};

TEST_F(Changes, AChangeUnderAFloodLeaksNothingAndLosesNothing) {
    const Unit unit("unit.service");
    const auto judge = load("judge", "not_9999");
    const auto other = load("other", "scribble");
    const std::vector<Queue> queues{build(Direction::Egress, {judge}),
                                    build(Direction::Egress, {other, judge}),
                                    build(Direction::Egress, {judge, other, other})};
    changeUnderFlood(unit, queues, 3000);
}

TEST_F(Changes, AChangeBetweenWithAndWithoutCountersLeaksNothingAndLosesNothing) {
    const Unit unit("unit.service");
    const auto judge = load("judge", "not_9999");
    const std::vector<Queue> queues{
        build(Direction::Egress, {judge}),
        build(Direction::Egress, {judge, load("tail", "filter", "tail_call_egress")})};
    changeUnderFlood(unit, queues, 1000);
    EXPECT_EQ(unit.programs(Direction::Egress).size(), 1U);
}

TEST_F(Changes, AChangeBetweenOneProgramAndLinksLeaksNothingAndLosesNothing) {
    const Unit unit("unit.service");
    const auto judge = load("judge", "not_9999");
    const auto storage = load("storage", "", "storage");
    const std::vector<Queue> queues{build(Direction::Egress, {judge}),
                                    build(Direction::Egress, {judge, storage}),
                                    build(Direction::Egress, {storage})};
    changeUnderFlood(unit, queues, 1000);
}

TEST_F(Changes, AReplacedFilterUnderAFloodLeaksNothingAndLosesNothing) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("judge", "not_9999", "queue_filters", "0")});
    Flood flood(unit);
    for (int round = 1; round < 60; ++round) {
        const FilterInstance older{filterName("judge"), std::to_string(round - 1)};
        const auto newer = load("judge", "not_9999", "queue_filters", std::to_string(round));
        use(unit, Direction::Egress, {newer});
        ASSERT_TRUE(
            kernel().dropQueue(filterd::idOf(Queue{Direction::Egress, {older}, false, Fallback::Allow})));
        ASSERT_TRUE(kernel().unloadFilter(older));
    }
    eventually([&] { return flood.sent() > 3000; });
    expectWatertight(flood);
}

} // namespace
} // namespace filterd::test
