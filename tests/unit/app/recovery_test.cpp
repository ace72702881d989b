// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What only the firewall knows: saved after each change, and made good as far as it goes when it was lost
// (I5).
#include "app/firewall.hpp"
#include "fake_guard.hpp"
#include "fakes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace filterd {
namespace {

using test::filterName;
using Names = std::vector<std::string>;

class Recovery : public testing::Test {
  protected:
    // One daemon after another over the same kernel.
    struct Daemon {
        explicit Daemon(Recovery& world) : Daemon(world, new test::FakeGuard) {}
        Daemon(Recovery& world, test::FakeGuard* made)
            : firewall({world.kernel, world.tree, world.store, world.crashes},
                       {std::unique_ptr<GuardPort>(made), {}}),
              guard(made) {
            firewall.subscribe(publisher);
        }
        test::RecordingObserver publisher;
        Firewall firewall;
        test::FakeGuard* guard;
    };

    void SetUp() override { startDaemon(); }

    void startDaemon(const Configuration& configuration = {}) {
        daemon = std::make_unique<Daemon>(*this);
        ASSERT_TRUE(firewall().start(configuration, true));
    }
    void loseState(const std::string& text = "", const Configuration& configuration = {}) {
        store.text = text;
        kernel.changes = 0;
        startDaemon(configuration);
    }
    Firewall& firewall() { return daemon->firewall; }

    void load(const std::string& name) {
        ASSERT_TRUE(firewall().filters().load(
            {filterName(name), ElfObject{{std::byte{'x'}}}, "", false, false, ":1.1"}));
    }
    UnitCgroup startUnit(const std::string& unit, std::uint64_t id) {
        const auto made = tree.add(unit, id);
        firewall().units().appeared(made);
        return made;
    }
    // Its directory is gone; its sockets may live on.
    void stopUnit(const UnitCgroup& unit) {
        tree.remove(unit);
        firewall().units().vanished(unit.cgroup.id);
    }
    static Rule rule(const std::string& target, const Names& ingress, const Names& egress = {}) {
        Rule rule{std::string(kBusSource), {target}, {}, {}};
        for (const auto& name : ingress)
            rule.ingress.push_back(filterName(name));
        for (const auto& name : egress)
            rule.egress.push_back(filterName(name));
        return rule;
    }
    std::vector<Rule> rules() {
        std::vector<Rule> all;
        for (const auto* one : firewall().inForce().intent().rules->ordered())
            all.push_back(*one);
        return all;
    }
    Names ingress(std::uint64_t id) const { return kernel.queueAt({id}, Direction::Ingress); }
    Names egress(std::uint64_t id) const { return kernel.queueAt({id}, Direction::Egress); }

    test::FakeKernel kernel;
    test::FakeTree tree;
    test::FakeStore store;
    test::FakeCrashes crashes;
    std::unique_ptr<Daemon> daemon;
};

// ---- lost ------------------------------------------------------------------------------------------------

class LostState : public Recovery, public testing::WithParamInterface<const char*> {};

TEST_P(LostState, CostsNoFilteringAndRulesOfRunningUnitsAreMadeAnew) {
    load("a");
    load("b");
    startUnit("web.service", 1);
    ASSERT_TRUE(firewall().queues().set(rule("web.service", {"b", "a"}, {"a"})));
    loseState(GetParam());
    EXPECT_EQ(kernel.changes, 0);
    EXPECT_EQ(kernel.published.size(), 2U);
    EXPECT_EQ(rules(), std::vector{rule("web.service", {"b", "a"}, {"a"})});
    EXPECT_EQ(firewall().units().find("web.service")->state, UnitState::Attached);
    EXPECT_TRUE(daemon->guard->unitIsMade("web.service", {2}));
    startDaemon(); // the state that the last one has saved is whole
    EXPECT_EQ(kernel.changes, 0);
    EXPECT_EQ(rules().size(), 1U);
    ASSERT_TRUE(firewall().queues().reset("web.service"));
    EXPECT_EQ(ingress(1), Names{});
    EXPECT_EQ(egress(1), Names{});
}

INSTANTIATE_TEST_SUITE_P(Damage, LostState,
                         testing::Values("", "{\"version\": 1", "not json", "{\"version\": 99}"));

TEST_F(Recovery, UnitsOfAPatternGetARuleEach) {
    load("a");
    startUnit("web@1.service", 1);
    startUnit("web@2.service", 2);
    ASSERT_TRUE(firewall().queues().set(rule("web@*.service", {"a"})));
    loseState();
    EXPECT_EQ(rules(), (std::vector{rule("web@1.service", {"a"}), rule("web@2.service", {"a"})}));
}

TEST_F(Recovery, AUnitOfAUsersManagerGetsARuleOfItsName) {
    load("a");
    startUnit("user@1000.service/app.service", 1);
    ASSERT_TRUE(firewall().queues().set(rule("user@1000.service/*.service", {"a"})));
    loseState();
    EXPECT_EQ(kernel.changes, 0);
    EXPECT_EQ(rules(), std::vector{rule("user@1000.service/app.service", {"a"})});
}

TEST_F(Recovery, ABareCgroupGetsARuleForItsPath) {
    load("a");
    tree.bare["/machine/x"] = {7};
    ASSERT_TRUE(firewall().queues().set(rule("/machine/x", {"a"})));
    loseState();
    EXPECT_EQ(kernel.changes, 0);
    EXPECT_EQ(rules(), std::vector{rule("/machine/x", {"a"})});
    ASSERT_TRUE(firewall().queues().reset("/machine/x"));
    EXPECT_EQ(ingress(7), Names{});
}

TEST_F(Recovery, WhatAFileCoversNeedsNoRuleOfTheBus) {
    load("a");
    Configuration files;
    files.rules = {rule("filed.service", {"a"})};
    files.rules.front().source = "/etc/filterd/a.queue";
    ASSERT_TRUE(firewall().files().configure(files));
    startUnit("filed.service", 1);
    loseState("", files);
    EXPECT_EQ(kernel.changes, 0);
    EXPECT_EQ(rules(), files.rules);
}

TEST_F(Recovery, ThatARuleOnlyLogsIsRemembered) {
    load("a");
    startUnit("web.service", 1);
    auto logging = rule("web.service", {"a"});
    logging.logOnly = true;
    ASSERT_TRUE(firewall().queues().set(logging));
    loseState();
    EXPECT_EQ(kernel.changes, 0);
    EXPECT_EQ(rules(), std::vector{logging});
}

TEST_F(Recovery, ARefusedFallbackIsRemembered) {
    load("a");
    startUnit("web.service", 1);
    auto strict = rule("web.service", {"a"});
    strict.fallback = Fallback::Refuse;
    ASSERT_TRUE(firewall().queues().set(strict));
    loseState();
    EXPECT_EQ(rules(), std::vector{strict});
}

TEST_F(Recovery, WhatCannotBeToldIsHeldAndSaysSo) { // I1
    load("a");
    startUnit("web.service", 1);
    ASSERT_TRUE(firewall().queues().set(rule("web.service", {"a"})));
    kernel.forgotten = {kernel.attachments.begin()->second};
    loseState();
    EXPECT_EQ(ingress(1), Names{"HOLD"});
    EXPECT_EQ(firewall().units().find("web.service")->state, UnitState::Held);
    startDaemon();
    EXPECT_EQ(ingress(1), Names{"HOLD"});
    ASSERT_TRUE(firewall().queues().set(rule("web.service", {"a"})));
    EXPECT_EQ(ingress(1), Names{"a"});
}

// The kernel's word that a cgroup is released comes later than the end of its unit, and not at all once no
// rule is left: the guard, which would tell, is taken away then.
TEST_F(Recovery, AUnitThatStopsAndLosesItsRuleAfterwardsLeavesNothingBehind) {
    load("a");
    loseState();
    const auto unit = startUnit("web.service", 1);
    ASSERT_TRUE(firewall().queues().set(rule("web.service", {"a"})));
    stopUnit(unit);
    ASSERT_TRUE(firewall().queues().reset("web.service"));
    EXPECT_FALSE(firewall().inForce().reconciler().guard().inForce());
    EXPECT_TRUE(kernel.attachments.empty());
    EXPECT_TRUE(kernel.queues.empty());
    ASSERT_TRUE(firewall().filters().unload(filterName("a")));
    EXPECT_TRUE(firewall().filters().all().empty());
}

TEST_F(Recovery, LinksOfUnitsThatAreGoneGoWhenNoRuleIsLeft) { // I4
    load("a");
    const auto gone = startUnit("gone.service", 1);
    startUnit("web.service", 2);
    ASSERT_TRUE(firewall().queues().set(rule("gone.service", {"a"})));
    ASSERT_TRUE(firewall().queues().set(rule("web.service", {"a"})));
    stopUnit(gone);
    loseState();
    EXPECT_EQ(ingress(1), Names{"a"}); // a socket of it may live
    EXPECT_EQ(rules(), std::vector{rule("web.service", {"a"})});
    ASSERT_TRUE(firewall().queues().reset("web.service"));
    EXPECT_EQ(ingress(1), Names{});
}

// ---- saving ----------------------------------------------------------------------------------------------

TEST_F(Recovery, WhatIsSavedAlreadyIsNotSavedAgain) {
    load("a");
    const auto saves = store.saves;
    load("a");
    EXPECT_EQ(store.saves, saves);
    startDaemon();
    EXPECT_EQ(store.saves, saves);
    load("b");
    EXPECT_EQ(store.saves, saves + 1);
}

TEST_F(Recovery, AChangeThatCannotBeSavedIsInForceAndSucceeds) { // I2
    load("a");
    startUnit("web.service", 1);
    const auto counts = daemon->publisher.counts;
    store.full = true;
    ASSERT_TRUE(firewall().queues().set(rule("web.service", {"a"})));
    EXPECT_EQ(ingress(1), Names{"a"});
    EXPECT_FALSE(firewall().inForce().state().isSaved());
    EXPECT_GT(daemon->publisher.counts, counts);
    store.full = false;
    firewall().saveAgain();
    EXPECT_TRUE(firewall().inForce().state().isSaved());
    startDaemon();
    EXPECT_EQ(rules().size(), 1U);
}

TEST_F(Recovery, TheNextChangeSavesWhatCouldNotBeSaved) {
    load("a");
    store.full = true;
    load("b");
    store.full = false;
    load("c");
    EXPECT_TRUE(firewall().inForce().state().isSaved());
    startDaemon();
    EXPECT_EQ(firewall().filters().all().size(), 3U);
    EXPECT_EQ(firewall().filters().view(filterName("b"))->references.size(), 1U);
}

} // namespace
} // namespace filterd
