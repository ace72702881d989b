// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "firewall_bed.hpp"

namespace filterd {
namespace {

using test::filterName;

class FirewallTest : public test::FirewallBed {
  protected:
    void SetUp() override { ASSERT_TRUE(firewall.start({}, true)); }

    void stop(const UnitCgroup& unit) {
        tree.remove(unit);
        if (const auto holder = firewall.units().vanished(unit.cgroup.id))
            firewall.holders().unitEnded(*holder); // as systemd says
    }
};

TEST_F(FirewallTest, TheSameContentUnderOneNameIsOneInstance) {
    load("f", "object");
    load("f", "object");
    EXPECT_EQ(kernel.loads, 1U);
    auto named = request("f", "object");
    named.program = "prog"; // the only one, by its name
    EXPECT_TRUE(firewall.filters().load(named));
    EXPECT_EQ(kernel.loads, 1U);
    EXPECT_EQ(firewall.filters().view(filterName("f"))->references.size(), 1U);
}

TEST_F(FirewallTest, OtherContentUnderATakenNameIsRefusedAndChangesNothing) {
    load("f", "one");
    const auto digest = firewall.filters().all().at(filterName("f")).instance.digest;
    const auto refused = firewall.filters().load(request("f", "two"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::FilterNameTaken);
    EXPECT_EQ(firewall.filters().all().at(filterName("f")).instance.digest, digest);
}

TEST_F(FirewallTest, ARunningUnitAndALaterOneGetTheQueueOfTheirRule) {
    load("a");
    load("b");
    start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web*.service", {"b", "a"}, {"a"})));
    EXPECT_EQ(ingress(1), (Names{"b", "a"}));
    EXPECT_EQ(kernel.queueAt({1}, Direction::Egress), Names{"a"});
    start("web2.service", 2);
    EXPECT_EQ(ingress(2), (Names{"b", "a"}));
    EXPECT_EQ(kernel.attachments.at({{1}, Direction::Ingress}),
              kernel.attachments.at({{2}, Direction::Ingress}));
    start("other.service", 3);
    EXPECT_TRUE(ingress(3).empty());
    EXPECT_EQ(publisher.units.size(), 2U);
    EXPECT_EQ(publisher.units.at("web.service").state, UnitState::Attached);
}

TEST_F(FirewallTest, ResettingTheQueueDetachesIt) {
    load("a");
    start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    ASSERT_TRUE(firewall.queues().reset("web.service"));
    EXPECT_TRUE(kernel.attachments.empty());
    EXPECT_TRUE(kernel.queues.empty());
    EXPECT_TRUE(publisher.units.empty());
    EXPECT_EQ(firewall.queues().reset("web.service").error().code, ErrorCode::NoSuchUnitRule);
}

TEST_F(FirewallTest, AQueueWithAnUnknownFilterIsRefused) {
    start("web.service", 1);
    const auto refused = firewall.queues().set(rule("web.service", {"nothere"}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::NoSuchFilter);
    EXPECT_TRUE(firewall.inForce().intent().rules->ordered().empty());
}

TEST_F(FirewallTest, AnIngressProgramIsRefusedForEgress) {
    load("in", "ingress only");
    EXPECT_TRUE(firewall.queues().set(rule("web.service", {"in"})));
    const auto refused = firewall.queues().set(rule("db.service", {}, {"in"}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::WrongDirection);
}

TEST_F(FirewallTest, AQueueThatCannotBeBuiltLeavesTheOldOneInForce) { // I2
    load("a");
    load("b");
    start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    kernel.unbuildable = {"b"};
    const auto saved = store.text;
    const auto refused = firewall.queues().set(rule("web.service", {"a", "b"}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::VerifierRejected);
    EXPECT_EQ(ingress(1), Names{"a"});
    EXPECT_EQ(store.text, saved);
    ASSERT_EQ(firewall.inForce().intent().rules->ordered().size(), 1U);
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().front()->ingress.size(), 1U);
}

TEST_F(FirewallTest, OneUnitThatRefusesTheNewQueueTakesItBackEverywhere) { // I2
    load("a");
    load("b");
    for (std::uint64_t id = 1; id <= 3; ++id)
        start("web@" + std::to_string(id) + ".service", id);
    ASSERT_TRUE(firewall.queues().set(rule("web@*.service", {"a"})));
    kernel.refusesAttach = {"/system.slice/web@2.service"};
    EXPECT_FALSE(firewall.queues().set(rule("web@*.service", {"b"})));
    for (std::uint64_t id = 1; id <= 3; ++id)
        EXPECT_EQ(ingress(id), Names{"a"}) << id;
}

TEST_F(FirewallTest, UnloadIsRefusedWhileOthersNeedTheFilterAndNamesThem) {
    load("f");
    start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"f"})));
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Client, ":1.9"}, filterName("f")));
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Unit, "web.service"}, filterName("f")));
    const auto refused = firewall.filters().unload(filterName("f"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::FilterInUse);
    for (const auto* holder :
         {"client :1.9", "unit web.service", "rule bus:web.service", "attachment web.service"})
        EXPECT_NE(refused.error().message.find(holder), std::string::npos) << holder;
    EXPECT_TRUE(firewall.filters().all().contains(filterName("f")));
}

TEST_F(FirewallTest, AFilterGoesWithItsLastReferenceAndNotBefore) {
    load("f");
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Client, ":1.9"}, filterName("f")));
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"f"})));
    EXPECT_FALSE(firewall.filters().unload(filterName("f")));
    ASSERT_TRUE(firewall.queues().reset("web.service"));
    EXPECT_FALSE(firewall.filters().unload(filterName("f")));
    firewall.holders().clientLeft(":1.9");
    EXPECT_TRUE(firewall.filters().all().contains(filterName("f")));
    ASSERT_TRUE(firewall.filters().unload(filterName("f")));
    EXPECT_TRUE(kernel.published.empty());
    EXPECT_TRUE(publisher.filters.empty());
}

TEST_F(FirewallTest, ATransientFilterGoesWithItsClient) {
    auto transient = request("f", "x");
    transient.transient = true;
    ASSERT_TRUE(firewall.filters().load(transient));
    EXPECT_EQ(kernel.published.size(), 1U);
    firewall.holders().clientLeft(":1.2");
    EXPECT_EQ(kernel.published.size(), 1U);
    firewall.holders().clientLeft(":1.1");
    EXPECT_TRUE(kernel.published.empty());
}

TEST_F(FirewallTest, AUnitsReferenceEndsWithItsCgroup) {
    const auto unit = start("loader.service", 4);
    auto transient = request("f", "x");
    transient.transient = true;
    ASSERT_TRUE(firewall.filters().load(transient));
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Unit, "loader.service"}, filterName("f")));
    firewall.holders().clientLeft(":1.1");
    EXPECT_EQ(kernel.published.size(), 1U);
    stop(unit);
    EXPECT_TRUE(kernel.published.empty());
    EXPECT_EQ(firewall.filters().acquire({Holder::Kind::Unit, "none.service"}, filterName("f")).error().code,
              ErrorCode::NoSuchFilter);
}

TEST_F(FirewallTest, AUnitHasOneReferenceHoweverOftenItAcquires) { // a restart leaves that of the run before
    start("loader.service", 4);
    load("f");
    const Holder unit{Holder::Kind::Unit, "loader.service"};
    ASSERT_TRUE(firewall.filters().acquire(unit, filterName("f")));
    ASSERT_TRUE(firewall.filters().acquire(unit, filterName("f")));
    EXPECT_EQ(firewall.holders().count({unit}), 1U);
    ASSERT_TRUE(firewall.filters().release(unit, filterName("f")));
    EXPECT_EQ(firewall.holders().count({unit}), 0U);
}

TEST_F(FirewallTest, AUnitWithoutCgroupHoldsItsReferenceWhileItIsActive) { // RemainAfterExit=
    const auto unit = start("loader.service", 4);
    load("f");
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Unit, "loader.service"}, filterName("f")));
    ASSERT_TRUE(firewall.filters().unload(filterName("f")).error().code == ErrorCode::FilterInUse);
    tree.remove(unit);
    EXPECT_EQ(firewall.units().vanished(unit.cgroup.id), "loader.service");
    EXPECT_EQ(firewall.holders().withoutCgroup(), Names{"loader.service"});
    ASSERT_TRUE(firewall.rescan());
    EXPECT_TRUE(firewall.holders().holdsReferences("loader.service"));

    Firewall next({kernel, tree, store, crashes});
    ASSERT_TRUE(next.start({}, true));
    EXPECT_EQ(next.holders().withoutCgroup(), Names{"loader.service"});
    next.holders().unitEnded("loader.service");
    EXPECT_FALSE(next.holders().holdsReferences("loader.service"));
    EXPECT_TRUE(next.holders().withoutCgroup().empty());
}

TEST_F(FirewallTest, AReplacedFilterReachesEveryQueueThatHoldsIt) {
    load("a", "one");
    load("b");
    start("web.service", 1);
    start("db.service", 2);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"b", "a"})));
    ASSERT_TRUE(firewall.queues().set(rule("db.service", {"a"})));
    const auto before = kernel.attachments;
    auto replacement = request("a", "two");
    replacement.replace = true;
    ASSERT_TRUE(firewall.filters().load(replacement));
    for (const auto& [point, queue] : before)
        EXPECT_NE(kernel.attachments.at(point), queue);
    EXPECT_EQ(ingress(1), (Names{"b", "a"}));
    EXPECT_EQ(kernel.published.size(), 2U);
    EXPECT_EQ(kernel.loaded.size(), 2U);
    EXPECT_TRUE(kernel.unloadedInUse.empty());
}

TEST_F(FirewallTest, AReplacementThatFailsAnywhereChangesNothingAnywhere) { // I2
    load("a", "one");
    start("web.service", 1);
    start("db.service", 2);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {}, {"a"})));
    ASSERT_TRUE(firewall.queues().set(rule("db.service", {"a"})));
    const auto attachments = kernel.attachments;
    const auto digest = firewall.filters().all().at(filterName("a")).instance.digest;
    for (const auto* content : {"bad", "ingress only"}) {
        auto replacement = request("a", content);
        replacement.replace = true;
        EXPECT_FALSE(firewall.filters().load(replacement)) << content;
        EXPECT_EQ(kernel.attachments, attachments) << content;
        EXPECT_EQ(firewall.filters().all().at(filterName("a")).instance.digest, digest) << content;
        EXPECT_EQ(kernel.loaded.size(), 1U) << content;
    }
}

TEST_F(FirewallTest, ARestartAdoptsAndReattachesNothing) { // I5
    load("a");
    start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Client, ":1.9"}, filterName("a")));
    kernel.changes = 0;
    const auto loads = kernel.loads;

    test::RecordingObserver seen;
    Firewall next({kernel, tree, store, crashes});
    next.subscribe(seen);
    ASSERT_TRUE(next.start({}, true));
    EXPECT_EQ(kernel.changes, 0);
    EXPECT_EQ(kernel.loads, loads);
    EXPECT_EQ(seen.filters, std::set<std::string>{"a"});
    EXPECT_EQ(next.inForce().intent().rules->ordered().size(), 1U);
    EXPECT_EQ(next.filters().view(filterName("a"))->references,
              firewall.filters().view(filterName("a"))->references);
}

TEST_F(FirewallTest, ReferencesOfClientsThatAreGoneEndWhenTheBusIsJoined) {
    load("a");
    firewall.holders().busJoined("guid", {":1.9", ":1.10"});
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Client, ":1.9"}, filterName("a")));
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Client, ":1.10"}, filterName("a")));
    Firewall next({kernel, tree, store, crashes});
    ASSERT_TRUE(next.start({}, true));
    next.holders().busJoined("guid", {":1.10"});
    EXPECT_EQ(next.filters().view(filterName("a"))->references.size(), 2U); // keep, :1.10
    next.holders().busJoined("another bus", {":1.10"});
    EXPECT_EQ(next.filters().view(filterName("a"))->references.size(), 1U);
}

TEST_F(FirewallTest, AFileRuleWithoutItsFilterHoldsTheUnitUntilTheFilterComes) {
    start("web.service", 1);
    auto file = rule("web.service", {"late"});
    file.source = "10-web.queue";
    ASSERT_TRUE(firewall.files().configure({.rules = {file}, .filters = {}, .errors = {}}));
    EXPECT_EQ(ingress(1), Names{"HOLD"});
    EXPECT_EQ(publisher.units.at("web.service").state, UnitState::Held);
    load("late");
    EXPECT_EQ(ingress(1), Names{"late"});
    EXPECT_EQ(publisher.units.at("web.service").state, UnitState::Attached);
    file.onFailure = OnFailure::Pass;
    file.ingress = {filterName("later")};
    ASSERT_TRUE(firewall.files().configure({.rules = {file}, .filters = {}, .errors = {}}));
    EXPECT_TRUE(ingress(1).empty());
    EXPECT_EQ(publisher.units.at("web.service").state, UnitState::Failed);
}

TEST_F(FirewallTest, ABrokenFileRuleDoesNotStopAChangeOnTheBus) {
    load("a");
    load("b");
    kernel.unbuildable = {"b"};
    auto file = rule("db.service", {"b"});
    file.source = "10-db.queue";
    ASSERT_TRUE(firewall.files().configure({.rules = {file}, .filters = {}, .errors = {}}));
    start("web.service", 1);
    start("db.service", 2);
    EXPECT_EQ(ingress(2), Names{"HOLD"});
    EXPECT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    EXPECT_EQ(ingress(1), Names{"a"});
}

TEST_F(FirewallTest, SwitchedOffNothingIsAttachedAndOnBringsItBack) { // I8
    load("a");
    start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    kernel.attachments.clear(); // as filterctl off does, by the pins
    firewall.setEnforcing(false);
    ASSERT_TRUE(firewall.rescan());
    start("web2.service", 2);
    ASSERT_TRUE(firewall.queues().set(rule("web2.service", {"a"})));
    EXPECT_TRUE(kernel.attachments.empty());
    firewall.setEnforcing(true);
    ASSERT_TRUE(firewall.rescan());
    EXPECT_EQ(ingress(1), Names{"a"});
    EXPECT_EQ(ingress(2), Names{"a"});
}

TEST_F(FirewallTest, ABareCgroupIsGuardedByItsPath) {
    load("a");
    tree.bare["/elsewhere/x"] = {77};
    ASSERT_TRUE(firewall.queues().set(rule("/elsewhere/x", {"a"})));
    EXPECT_EQ(ingress(77), Names{"a"});
    EXPECT_EQ(firewall.queues().set(rule("/none", {"a"})).error().code, ErrorCode::NoSuchCgroup);
    ASSERT_TRUE(firewall.queues().reset("/elsewhere/x"));
    EXPECT_TRUE(kernel.attachments.empty());
}

TEST_F(FirewallTest, ARuleThatRefusesTheFallbackFailsAndChangesNothing) {
    load("a");
    load("storage");
    kernel.needsLinks = {"storage"};
    start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    auto strict = rule("web.service", {"storage"});
    strict.fallback = Fallback::Refuse;
    EXPECT_EQ(firewall.queues().set(strict).error().code, ErrorCode::Unsupported);
    EXPECT_EQ(ingress(1), Names{"a"});
    strict.fallback = Fallback::Allow;
    EXPECT_TRUE(firewall.queues().set(strict));
    EXPECT_EQ(ingress(1), Names{"storage"});
}

TEST_F(FirewallTest, ARestartRemembersThatARuleRefusesTheFallback) {
    load("a");
    auto strict = rule("web.service", {"a"});
    strict.fallback = Fallback::Refuse;
    ASSERT_TRUE(firewall.queues().set(strict));
    Firewall next({kernel, tree, store, crashes});
    ASSERT_TRUE(next.start({}, true));
    ASSERT_EQ(next.inForce().intent().rules->ordered().size(), 1U);
    EXPECT_EQ(next.inForce().intent().rules->ordered().front()->fallback, Fallback::Refuse);
}

TEST_F(FirewallTest, ARestartRemembersThatARuleOnlyLogs) {
    load("a");
    auto logging = rule("web.service", {"a"});
    logging.logOnly = true;
    ASSERT_TRUE(firewall.queues().set(logging));
    Firewall next({kernel, tree, store, crashes});
    ASSERT_TRUE(next.start({}, true));
    ASSERT_EQ(next.inForce().intent().rules->ordered().size(), 1U);
    EXPECT_TRUE(next.inForce().intent().rules->ordered().front()->logOnly);
}

TEST_F(FirewallTest, AQueueThatOnlyLogsIsAnotherThanOneThatDrops) {
    load("a");
    start("web.service", 1);
    auto logging = rule("web.service", {"a"});
    ASSERT_TRUE(firewall.queues().set(logging));
    const auto dropping = kernel.attachments.at({{1}, Direction::Ingress});
    logging.logOnly = true;
    ASSERT_TRUE(firewall.queues().set(logging));
    const auto now = kernel.attachments.at({{1}, Direction::Ingress});
    EXPECT_NE(now, dropping);
    EXPECT_TRUE(kernel.queues.at(now).logOnly);
    EXPECT_EQ(kernel.attachments.size(), 1U);
}

TEST_F(FirewallTest, AUnitThatVanishesWhileItIsAttachedIsNoError) {
    load("a");
    kernel.gone = {{5}};
    start("web.service", 5);
    EXPECT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
}

} // namespace
} // namespace filterd
