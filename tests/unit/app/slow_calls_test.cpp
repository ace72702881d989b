// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Changes whose programs are not finished yet: nothing of them is seen, and then all of it.

#include "slow_calls_bed.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

using testing::ElementsAre;

class SlowCallsTest : public test::SlowCallsBed {};

TEST_F(SlowCallsTest, AFilterThatIsNotVerifiedYetChangesNothing) {
    const auto before = state();
    kernel.unfinished = {"load web"};
    const auto answer = call([this] { return firewall.filters().load(request("web", "w")); });
    EXPECT_EQ(state(), before);
    EXPECT_FALSE(*answer);
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_TRUE(**answer);
    EXPECT_TRUE(firewall.filters().all().contains(test::filterName("web")));
}

TEST_F(SlowCallsTest, AQueueThatIsNotVerifiedYetLeavesTheOldOneInForce) {
    load("old");
    load("new");
    start("web.service", 7);
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("web.service", {"old"}), {}));
    const auto before = state();
    kernel.unfinished = {"queue new"};
    const auto answer = call([this] {
        return firewall.queues().set(FirewallBed::rule("web.service", {"old", "new"}), {});
    });
    EXPECT_FALSE(*answer);
    EXPECT_EQ(state(), before);
    EXPECT_THAT(ingress(7), ElementsAre("old"));
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_TRUE(**answer);
    EXPECT_THAT(ingress(7), ElementsAre("old", "new"));
}

// The attempt fails for another reason, half-way: the way back takes its time.
TEST_F(SlowCallsTest, WhatFailsForAnotherReasonGoesBackAtOnce) {
    load("old");
    load("new");
    start("a.service", 7);
    start("b.service", 8);
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("*.service", {"old"}), {}));
    kernel.refusesAttach = {"/system.slice/b.service"};
    kernel.unfinished = {"interim old", "queue old"};
    const auto answer =
        call([this] { return firewall.queues().set(FirewallBed::rule("*.service", {"new"}), {}); });
    ASSERT_TRUE(*answer);
    EXPECT_FALSE(**answer);
    EXPECT_THAT(ingress(7), ElementsAre("old"));
    EXPECT_THAT(ingress(8), ElementsAre("old"));
}

// Nobody waits for what could not be built a moment ago and has nothing to do with the call.
TEST_F(SlowCallsTest, TheWayBackBuildsNothingThatWasRefused) {
    load("bad");
    load("other");
    kernel.unbuildable = {"bad"};
    rule("a.service", "bad");
    start("a.service", 7);
    apply();
    ASSERT_THAT(ingress(7), ElementsAre("HOLD"));
    kernel.unbuildable.clear(); // were it asked, it would build it
    start("b.service", 8);
    kernel.refusesAttach = {"/system.slice/b.service"};
    const auto before = state();
    EXPECT_FALSE(firewall.queues().set(FirewallBed::rule("b.service", {"other"}), {}));
    EXPECT_EQ(state(), before);
    load("more"); // a change tries it again
    EXPECT_THAT(ingress(7), ElementsAre("bad"));
}

// A call is tried so many times, whatever number of queues it changes.
TEST_F(SlowCallsTest, AChangeOfManyQueuesAsksForAllOfThemAtOnce) {
    for (const auto* name : {"f", "g", "h"})
        load(name);
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("a.service", {"f"}), {}));
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("b.service", {"f", "g"}), {}));
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("c.service", {"f", "h"}), {}));
    kernel.unfinished = {"queue f"};
    auto other = request("f", "y");
    other.replace = true;
    const auto answer = call([&] { return firewall.filters().load(other); });
    EXPECT_FALSE(*answer);
    EXPECT_EQ(kernel.asked, 3);
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_TRUE(**answer);
}

// Nobody asks for the end of a trial, or for 'filterctl on': they are attempts all the same.
TEST_F(SlowCallsTest, TheEndOfATrialKeepsNobodyWaiting) {
    load("old");
    load("new");
    start("a.service", 7);
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("a.service", {"old"}), {}));
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("a.service", {"new"}), 1'000));
    const auto before = state();
    kernel.unfinished = {"queue old"};
    const auto ended = call([this] { return firewall.queues().endTrials(1'000); });
    EXPECT_FALSE(*ended);
    EXPECT_EQ(state(), before);
    EXPECT_THAT(ingress(7), ElementsAre("new"));
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*ended);
    EXPECT_TRUE(**ended);
    EXPECT_THAT(ingress(7), ElementsAre("old"));
}

TEST_F(SlowCallsTest, SwitchingOffWaitsForNothingAndSwitchingOnLetsOthersGoFirst) {
    load("bad");
    load("good");
    kernel.unbuildable = {"bad"};
    start("a.service", 7);
    start("b.service", 8);
    rule("a.service", "bad");
    rule("b.service", "good");
    apply();
    ASSERT_THAT(ingress(7), ElementsAre("HOLD"));
    kernel.unbuildable.clear();
    kernel.unfinished = {"queue bad"};
    kernel.attachments.clear(); // as filterctl off does, by the pins
    firewall.setEnforcing(false);
    const auto off = call([this] { return firewall.rescan(); });
    ASSERT_TRUE(*off);
    EXPECT_TRUE(**off);
    EXPECT_TRUE(kernel.attachments.empty());
    firewall.setEnforcing(true);
    const auto on = call([this] { return firewall.rescan(); });
    EXPECT_FALSE(*on);
    EXPECT_THAT(ingress(8), ElementsAre("good")) << "what is ready does not wait";
    load("other");
    EXPECT_TRUE(firewall.filters().all().contains(test::filterName("other")));
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*on);
    EXPECT_TRUE(**on);
    EXPECT_THAT(ingress(7), ElementsAre("bad"));
    EXPECT_THAT(ingress(8), ElementsAre("good"));
}

} // namespace
} // namespace filterd
