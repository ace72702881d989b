// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "firewall_bed.hpp"

namespace filterd {
namespace {

using test::filterName;

Rule rule(const std::string& target, const std::string& filter) {
    return {"bus", {target}, {filterName(filter)}, {}, OnFailure::Hold};
}

TEST(Trials, ASecondTrialGoesBackToWhatWasBeforeTheFirst) {
    Trials trials;
    trials.start({"x.service", 100, rule("x.service", "good")});
    trials.start({"x.service", 200, rule("x.service", "bad")});
    EXPECT_TRUE(trials.expire(199).empty());
    const auto expired = trials.expire(200);
    ASSERT_EQ(expired.size(), 1U);
    EXPECT_EQ(expired.front().before, rule("x.service", "good"));
    EXPECT_FALSE(trials.nextDeadline());
}

TEST(Trials, KnowTheNextDeadlineAndWhatTheyNeed) {
    Trials trials;
    EXPECT_FALSE(trials.nextDeadline());
    trials.start({"x.service", 300, {}});
    trials.start({"y.service", 200, rule("y.service", "good")});
    EXPECT_EQ(trials.nextDeadline(), 200U);
    EXPECT_EQ(trials.filters(), std::set{filterName("good")});
    EXPECT_EQ(trials.needing(filterName("good")), std::vector<std::string>{"y.service"});
    EXPECT_TRUE(trials.end("y.service"));
    EXPECT_FALSE(trials.end("y.service"));
    EXPECT_EQ(trials.nextDeadline(), 300U);
}

class TrialTest : public test::FirewallBed {
  protected:
    void SetUp() override {
        ASSERT_TRUE(firewall.start({}, true));
        for (const auto* name : {"old", "new"})
            load(name);
        start("x.service", 1);
    }
    void expectUnitRuns(const Names& filters) const {
        EXPECT_EQ(ingress(1), filters);
        const auto& view = firewall.units().all().at("x.service");
        EXPECT_EQ(view.filters[0], filters);
    }
};

TEST_F(TrialTest, WhatWasSetBeforeComesBackUnlessConfirmed) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"old"})));
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    expectUnitRuns({"new"});
    ASSERT_TRUE(firewall.queues().endTrials(999));
    expectUnitRuns({"new"});
    ASSERT_TRUE(firewall.queues().endTrials(1'000));
    expectUnitRuns({"old"});
    EXPECT_FALSE(firewall.queues().confirm("x.service"));
}

TEST_F(TrialTest, NothingComesBackWhereNothingWas) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    ASSERT_TRUE(firewall.queues().endTrials(2'000));
    EXPECT_EQ(ingress(1), Names{});
    EXPECT_TRUE(firewall.inForce().intent().rules->ordered().empty());
}

TEST_F(TrialTest, AConfirmedQueueStays) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"old"})));
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    ASSERT_TRUE(firewall.queues().confirm("x.service"));
    ASSERT_TRUE(firewall.queues().endTrials(2'000));
    expectUnitRuns({"new"});
    const auto again = firewall.queues().confirm("x.service");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::NoSuchUnitRule);
}

TEST_F(TrialTest, AQueueSetForGoodEndsTheTrial) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"old"})));
    ASSERT_TRUE(firewall.queues().endTrials(2'000));
    expectUnitRuns({"old"});
}

TEST_F(TrialTest, AResetEndsTheTrial) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"old"})));
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    ASSERT_TRUE(firewall.queues().reset("x.service"));
    ASSERT_TRUE(firewall.queues().endTrials(2'000));
    EXPECT_EQ(ingress(1), Names{});
}

TEST_F(TrialTest, TheFiltersOfWhatMayComeBackCannotBeUnloaded) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"old"})));
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    const auto refused = firewall.filters().unload(filterName("old"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "filter 'old' is in use by trial x.service");
    ASSERT_TRUE(firewall.queues().confirm("x.service"));
    EXPECT_TRUE(firewall.filters().unload(filterName("old")));
    EXPECT_FALSE(firewall.filters().all().contains(filterName("old")));
}

TEST_F(TrialTest, ATransientFilterStaysForWhatMayComeBack) {
    ASSERT_TRUE(
        firewall.filters().load({filterName("mine"), ElfObject{{std::byte{2}}}, "", true, false, ":1.7"}));
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"mine"})));
    firewall.holders().clientLeft(":1.7");
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    ASSERT_TRUE(firewall.queues().endTrials(1'000));
    expectUnitRuns({"mine"});
}

TEST_F(TrialTest, AFailedChangeLeavesAnEarlierTrialAsItWas) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"old"}), 1'000));
    kernel.unbuildable.insert("new");
    EXPECT_FALSE(firewall.queues().set(rule("x.service", {"new"})));
    EXPECT_EQ(firewall.inForce().intent().trials.nextDeadline(), 1'000U);
    EXPECT_FALSE(firewall.queues().set(rule("x.service", {"new"}), 9'000));
    EXPECT_EQ(firewall.inForce().intent().trials.nextDeadline(), 1'000U);
}

TEST_F(TrialTest, ARestartKeepsTheDeadline) {
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"old"})));
    ASSERT_TRUE(firewall.queues().set(rule("x.service", {"new"}), 1'000));
    Firewall restarted({kernel, tree, store, crashes});
    ASSERT_TRUE(restarted.start({}, true));
    EXPECT_EQ(restarted.inForce().intent().trials.all(), firewall.inForce().intent().trials.all());
    EXPECT_EQ(ingress(1), Names{"new"});
    ASSERT_TRUE(restarted.queues().endTrials(1'000));
    EXPECT_EQ(ingress(1), Names{"old"});
    EXPECT_TRUE(restarted.inForce().intent().trials.all().empty());
}

} // namespace
} // namespace filterd
