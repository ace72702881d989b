// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The firewall with a guard: what the kernel is told to hold, and when a hold ends (I1).
#include "base/clock.hpp"
#include "fake_guard.hpp"
#include "firewall_bed.hpp"

namespace filterd {
namespace {

using test::filterName;

class Guarding : public test::FirewallBed {
  protected:
    Guarding() : Guarding(new test::FakeGuard) {}

    void SetUp() override {
        ASSERT_TRUE(firewall.start({}, true));
        for (const char* name : {"drop", "port"})
            load(name);
    }

    // As the kernel makes it: held, if a rule says so, before anybody can see it.
    UnitCgroup start(const std::string& unit, std::uint64_t id) {
        guard->unitIsMade(unit, {id});
        return tree.add(unit, id);
    }
    void endGrace() {
        guard->finished = guard->started;
        firewall.graceFinished();
    }

    test::FakeGuard* guard;

  private:
    explicit Guarding(test::FakeGuard* made)
        : FirewallBed({std::unique_ptr<GuardPort>(made), {}}), guard(made) {}
};

TEST_F(Guarding, WhatOnlyLogsIsNeverHeldBack) {
    auto logging = rule("web@*.service", {"port"});
    logging.logOnly = true;
    ASSERT_TRUE(firewall.queues().set(logging));
    EXPECT_EQ(guard->queueOf("web@1.service", Direction::Ingress), "queue");
    kernel.needsLinks = {"drop"};
    logging.ingress = {filterName("drop")};
    ASSERT_TRUE(firewall.queues().set(logging));
    EXPECT_EQ(guard->queueOf("web@1.service", Direction::Ingress), "pass");
    logging.logOnly = false;
    ASSERT_TRUE(firewall.queues().set(logging));
    EXPECT_EQ(guard->queueOf("web@1.service", Direction::Ingress), "hold");
}

TEST_F(Guarding, RulesWhoseInterimProgramIsNotVerifiedYetLeaveTheOldOnes) {
    ASSERT_TRUE(firewall.queues().set(rule("web@*.service", {"drop"})));
    const auto made = kernel.interimPrograms;
    test::FakeSlowCalls slow(kernel);
    kernel.unfinished = {"interim port"};
    Status last;
    bool isAnswered = false;
    slow.run(
        {}, [&] { last = firewall.queues().set(rule("web@*.service", {"port"})); },
        [&] { isAnswered = true; });
    EXPECT_FALSE(isAnswered);
    EXPECT_EQ(firewall.inForce().intent().rules->match({"web@1.service", {}})->ingress,
              std::vector{filterName("drop")});
    EXPECT_EQ(guard->queueOf("web@1.service", Direction::Ingress), "queue");
    EXPECT_EQ(kernel.interimPrograms, made);
    kernel.unfinished.clear();
    slow.tryAgain();
    EXPECT_TRUE(isAnswered && last);
    EXPECT_EQ(kernel.interimPrograms, made + 1);
}

TEST_F(Guarding, ARuleEntersTheKernelWithItsQueueAndLeavesWithIt) { // I7
    EXPECT_FALSE(firewall.inForce().reconciler().guard().inForce());
    ASSERT_TRUE(firewall.queues().set(rule("web@*.service", {"drop"})));
    EXPECT_TRUE(firewall.inForce().reconciler().guard().inForce());
    EXPECT_EQ(guard->queueOf("web@1.service", Direction::Ingress), "queue");
    EXPECT_EQ(guard->queueOf("web@1.service", Direction::Egress), "pass");
    ASSERT_TRUE(firewall.queues().reset("web@*.service"));
    EXPECT_FALSE(firewall.inForce().reconciler().guard().inForce());
    EXPECT_TRUE(guard->rules.empty());
    EXPECT_TRUE(guard->slots.empty());
}

TEST_F(Guarding, EnsureTellsOfAUnitThatDoesNotRunWhetherItsQueuesWaitForIt) {
    EXPECT_EQ(firewall.queues().ensure("web.service").error().code, ErrorCode::NoSuchUnitRule);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    EXPECT_TRUE(firewall.queues().ensure("web.service"));
    Configuration files;
    files.rules = {rule("held.service", {"none"})};
    files.rules.front().source = "/etc/a.queue";
    static_cast<void>(firewall.files().configure(files));
    const auto held = firewall.queues().ensure("held.service");
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code, ErrorCode::KernelRefused);
    EXPECT_NE(held.error().message.find("would start without the queues of its rule"), std::string::npos);
    firewall.setEnforcing(false);
    ASSERT_TRUE(firewall.rescan());
    EXPECT_TRUE(firewall.queues().ensure("held.service")); // I8
}

TEST_F(Guarding, NamesAreTriedInTheOrderOfTheRules) {
    ASSERT_TRUE(firewall.queues().set(rule("*.service", {"drop"})));
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"port"})));
    ASSERT_EQ(guard->rules.size(), 2U);
    EXPECT_EQ(guard->rules.front().glob.text(), "web.service");
}

TEST_F(Guarding, UnitsWithTheSameQueuesShareOneSlot) {
    ASSERT_TRUE(firewall.queues().set(rule("a.service", {"drop"})));
    ASSERT_TRUE(firewall.queues().set(rule("b.service", {"drop"})));
    EXPECT_EQ(guard->slots.size(), 1U);
    EXPECT_EQ(kernel.interimPrograms, 1);
}

TEST_F(Guarding, AHoldEndsOnlyAfterAttachAndGracePeriod) { // I1
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    endGrace();
    start("web.service", 7);
    EXPECT_TRUE(guard->isHeld({7}));
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(7), Names{"drop"});
    EXPECT_TRUE(guard->isHeld({7})) << "released before its grace period";
    firewall.graceFinished();
    EXPECT_TRUE(guard->isHeld({7})) << "released by somebody else's grace period";
    endGrace();
    EXPECT_FALSE(guard->isHeld({7}));
    EXPECT_EQ(ingress(7), Names{"drop"});
}

TEST_F(Guarding, AUnitThatCannotBeAttachedStaysHeld) { // I1
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    kernel.refusesAttach.insert("/system.slice/web.service");
    start("web.service", 7);
    firewall.handleGuardEvents();
    endGrace();
    EXPECT_TRUE(guard->isHeld({7}));
    EXPECT_EQ(publisher.units.at("web.service").state, UnitState::Failed);
    kernel.refusesAttach.clear();
    guard->events.held = {{8}};
    firewall.handleGuardEvents();
    endGrace();
    EXPECT_FALSE(guard->isHeld({7}));
    EXPECT_EQ(ingress(7), Names{"drop"});
}

TEST_F(Guarding, WhatIsDoneIsCountedWithTheTimeThatItTook) {
    using std::chrono::milliseconds;
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"}, {"port"})));
    guard->made[{7}] = monotonicNanoseconds() - 20'000'000;
    start("web.service", 7);
    kernel.refusesAttach.insert("/system.slice/web.service");
    firewall.handleGuardEvents();
    const auto& told = firewall.inForce().reconciler().statistics();
    EXPECT_EQ(told.actions.attachmentFailures, 2U);
    EXPECT_EQ(told.holds, 0U) << "it is held still";
    kernel.refusesAttach.clear();
    guard->events.held = {{8}};
    firewall.handleGuardEvents();
    EXPECT_EQ(told.actions.attachments, 2U);
    EXPECT_EQ(told.holds, 1U);
    EXPECT_EQ(told.attachLatency.count(), 1U);
    EXPECT_GE(told.attachLatency.sum(), milliseconds(20));
    EXPECT_LT(told.attachLatency.sum(), milliseconds(20'000));
    firewall.handleGuardEvents(); // the same hold, waiting for its grace period
    EXPECT_EQ(told.holds, 1U);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"port"}, {"port"})));
    EXPECT_EQ(told.actions.replacements, 1U);
    kernel.unbuildable.insert("drop");
    EXPECT_FALSE(firewall.queues().set(rule("web.service", {"drop", "port"}, {"port"})));
    EXPECT_EQ(told.actions.buildFailures, 1U);
    EXPECT_EQ(told.actions.attachments, 2U);
}

TEST_F(Guarding, AHoldOfUnknownAgeCountsWithoutATime) {
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    start("web.service", 7);
    firewall.handleGuardEvents();
    EXPECT_EQ(firewall.inForce().reconciler().statistics().holds, 1U);
    EXPECT_EQ(firewall.inForce().reconciler().statistics().attachLatency.count(), 0U);
}

TEST_F(Guarding, AHeldUnitThatIsGoneIsLeftToTheKernel) { // I1: its sockets may live on
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    tree.remove(start("web.service", 7));
    firewall.handleGuardEvents();
    endGrace();
    EXPECT_TRUE(guard->isHeld({7}));
}

TEST_F(Guarding, AUnitThatVanishesWhileItIsAttachedIsLeftToTheKernel) { // I1
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    start("web.service", 7);
    kernel.gone.insert({7});
    firewall.handleGuardEvents();
    endGrace();
    EXPECT_TRUE(guard->isHeld({7}));
}

TEST_F(Guarding, AHoldWhoseRuleIsGoneEnds) {
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    ASSERT_TRUE(firewall.queues().set(rule("db.service", {"drop"})));
    start("web.service", 7);
    ASSERT_TRUE(firewall.queues().reset("web.service"));
    firewall.handleGuardEvents();
    endGrace();
    EXPECT_FALSE(guard->isHeld({7}));
    EXPECT_EQ(ingress(7), Names{});
}

TEST_F(Guarding, AUnitMadeBeforeItsRuleIsFoundInTheTree) {
    tree.add("web.service", 7); // no event has told of it yet
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    EXPECT_EQ(ingress(7), Names{"drop"});
}

TEST_F(Guarding, RulesThatTheGuardRefusesChangeNothing) { // I2
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    tree.add("db.service", 9);
    guard->refusesRules = true;
    const auto set = firewall.queues().set(rule("db.service", {"port"}));
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, ErrorCode::KernelRefused);
    EXPECT_EQ(ingress(9), Names{});
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().size(), 1U);
    EXPECT_EQ(guard->rules.size(), 1U);
    EXPECT_EQ(guard->slots.size(), 1U) << "a slot that nobody gave back";
}

TEST_F(Guarding, AQueueThatNeedsLinksHoldsUntilItIsAttached) {
    kernel.needsLinks.insert("port");
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"port"})));
    EXPECT_EQ(guard->queueOf("web.service", Direction::Ingress), "hold");
}

TEST_F(Guarding, OnFailurePassGuardsNothing) {
    auto passing = rule("web.service", {"none-such"});
    passing.onFailure = OnFailure::Pass;
    passing.source = "/etc/filterd/web.queue";
    ASSERT_TRUE(firewall.files().configure({.rules = {passing}, .filters = {}, .errors = {}}));
    EXPECT_EQ(guard->queueOf("web.service", Direction::Ingress), "not guarded");
    passing.onFailure = OnFailure::Hold;
    ASSERT_TRUE(firewall.files().configure({.rules = {passing}, .filters = {}, .errors = {}}));
    EXPECT_EQ(guard->queueOf("web.service", Direction::Ingress), "hold");
}

TEST_F(Guarding, AReplacedFilterReachesTheGate) {
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    const auto before = guard->rules.front().slot;
    LoadRequest other{filterName("drop"), ElfObject{{std::byte{'y'}}}, "", false, true, ":1.1"};
    ASSERT_TRUE(firewall.filters().load(other));
    EXPECT_NE(guard->rules.front().slot, before);
    EXPECT_EQ(guard->slots.size(), 1U);
}

TEST_F(Guarding, SwitchedOffItHoldsNothing) { // I8
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    firewall.setEnforcing(false);
    ASSERT_TRUE(firewall.rescan());
    EXPECT_TRUE(guard->rules.empty());
    firewall.setEnforcing(true);
    ASSERT_TRUE(firewall.rescan());
    EXPECT_EQ(guard->rules.size(), 1U);
}

TEST_F(Guarding, AHoldIsLookedUpAndTheOthersAreNotWalkedOver) {
    ASSERT_TRUE(firewall.queues().set(rule("web@*.service", {"drop"})));
    endGrace();
    guard->walks = 0;
    for (std::uint64_t id = 7; id < 10; ++id) {
        start("web@" + std::to_string(id) + ".service", id);
        firewall.handleGuardEvents();
        EXPECT_EQ(ingress(id), Names{"drop"});
    }
    endGrace();
    EXPECT_TRUE(guard->holds.empty());
    EXPECT_EQ(guard->lookUps, 3);
    EXPECT_EQ(guard->walks, 0);
}

// The guard tells of a unit at once; the watch of cgroups may look only after its end, and has then seen
// nothing.
TEST_F(Guarding, AUnitThatEndsBeforeTheWatchHasSeenItIsForgotten) {
    ASSERT_TRUE(firewall.queues().set(rule("web@*.service", {"drop"})));
    const auto ended = start("web@7.service", 7);
    const auto running = start("web@8.service", 8);
    firewall.handleGuardEvents();
    endGrace();
    tree.remove(ended);
    static_cast<void>(firewall.units().missed(ended.cgroup.path));
    static_cast<void>(firewall.units().missed(running.cgroup.path));
    EXPECT_EQ(firewall.units().find("web@7.service"), nullptr);
    EXPECT_NE(firewall.units().find("web@8.service"), nullptr);
    EXPECT_EQ(ingress(7), Names{"drop"}) << "its sockets may live on";
    guard->events.released = {{7}};
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(7), Names{});
}

TEST_F(Guarding, WhereNewsAreMissingEverythingIsLookedAt) { // I1, I4
    ASSERT_TRUE(firewall.queues().set(rule("web@*.service", {"drop"})));
    const auto first = start("web@7.service", 7);
    firewall.handleGuardEvents();
    endGrace();
    start("web@8.service", 8);
    tree.remove(first);
    firewall.units().vanished({7});
    kernel.released = {{{7}, Direction::Ingress}};
    guard->events = {};
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(8), Names{});
    EXPECT_EQ(ingress(7), Names{"drop"});
    guard->events.isIncomplete = true;
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(8), Names{"drop"});
    EXPECT_EQ(ingress(7), Names{});
}

TEST_F(Guarding, AnOverflowEndsWhenEveryUnitIsAttachedAndAGracePeriodIsOver) { // I1
    ASSERT_TRUE(firewall.queues().set(rule("web@*.service", {"drop"})));
    endGrace();
    tree.add("web@1.service", 7); // did not fit: it is not in held()
    guard->seenOverflow = GuardOverflow{1, 7};
    guard->events.held = {{7}};
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(7), Names{"drop"});
    EXPECT_TRUE(guard->seenOverflow);
    endGrace();
    EXPECT_FALSE(guard->seenOverflow);
}

TEST_F(Guarding, UsersUnitsHaveRulesOfTheirOwn) {
    ASSERT_TRUE(firewall.queues().set(rule("*.service", {"drop"})));
    ASSERT_TRUE(firewall.queues().set(rule("user@1000.service/app.service", {"port"})));
    EXPECT_EQ(guard->queueOf("app.service", Direction::Ingress), "queue");
    start("user@1000.service/app.service", 7);
    start("user@1001.service/app.service", 8);
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(7), Names{"port"});
    EXPECT_EQ(ingress(8), Names{});
    EXPECT_NE(firewall.units().find("user@1000.service/app.service"), nullptr);
    EXPECT_EQ(firewall.units().find("user@1001.service/app.service"), nullptr);
}

TEST_F(Guarding, AUserIsCutOffUntilAllOfHisUnitsAreAttached) { // I1
    ASSERT_TRUE(firewall.queues().set(rule("user@*.service/*.service", {"drop"})));
    tree.add("user@1000.service", 5);
    tree.add("user@1000.service/a.service", 7); // beyond his share: not held
    guard->cutOff[{5}] = 1;
    guard->events.held = {{7}};
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(7), Names{"drop"});
    EXPECT_EQ(guard->cutOff.size(), 1U) << "before the grace period";
    tree.add("user@1000.service/b.service", 8); // while it lasts
    guard->cutOff[{5}] = 2;
    endGrace();
    EXPECT_EQ(ingress(8), Names{"drop"});
    EXPECT_EQ(guard->cutOff.size(), 1U) << "once more";
    endGrace();
    EXPECT_TRUE(guard->cutOff.empty());
}

TEST_F(Guarding, ReleasedCgroupsAreCollectedWhenTheKernelTells) { // I4
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    const auto unit = start("web.service", 7);
    firewall.handleGuardEvents();
    endGrace();
    tree.remove(unit);
    firewall.units().vanished({7});
    EXPECT_EQ(ingress(7), Names{"drop"}) << "its sockets may live on";
    guard->events.released = {{7}};
    firewall.handleGuardEvents();
    EXPECT_EQ(ingress(7), Names{});
}

TEST_F(Guarding, WithTheLastRuleGoTheLinksOfVanishedUnitsToo) { // I4: nobody would tell of their release
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"drop"})));
    const auto unit = start("web.service", 7);
    firewall.handleGuardEvents();
    endGrace();
    tree.remove(unit);
    firewall.units().vanished({7});
    ASSERT_TRUE(firewall.queues().reset("web.service"));
    EXPECT_EQ(ingress(7), Names{});
    EXPECT_TRUE(kernel.queues.empty());
}

TEST_F(Guarding, AnOlderGuardGoesAfterAGracePeriod) {
    auto older = std::make_unique<test::FakeGuard>();
    auto& old = *older;
    old.predecessor = true;
    Firewall next({kernel, tree, store, crashes}, {std::move(older), {}});
    ASSERT_TRUE(next.start({}, true));
    EXPECT_TRUE(old.predecessor);
    old.finished = old.started;
    next.graceFinished();
    EXPECT_FALSE(old.predecessor);
}

} // namespace
} // namespace filterd
