// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The start: armed first, and then filter by filter.

#include "slow_calls_bed.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SlowStart : public test::SlowCallsBed {
  protected:
    SlowStart() {
        define("quick", "q");
        define("slow", "s");
        rule("quick.service", "quick");
        rule("slow.service", "slow");
        rule("open.service", "slow", OnFailure::Pass);
        kernel.unfinished = {"load slow"};
    }
    void SetUp() override {}

    void begin() {
        ASSERT_TRUE(firewall.start(configuration, true, slow, [this] { ++loaded; }));
    }

    int loaded = 0;
};

TEST_F(SlowStart, WhatIsThereIsInForceAndWhatStartsMeanwhileIsHeld) {
    tree.add("slow.service", 3); // ran before
    tree.add("quick.service", 4);
    begin();
    EXPECT_EQ(loaded, 0);
    EXPECT_THAT(ingress(4), ElementsAre("quick"));
    EXPECT_THAT(ingress(3), IsEmpty()) << "it is not cut off for what is on its way";
    start("quick.service", 5);
    EXPECT_THAT(ingress(5), ElementsAre("quick"));
    tree.remove({"slow.service", {{3}, "/system.slice/slow.service"}});
    start("slow.service", 6);
    EXPECT_THAT(ingress(6), ElementsAre("HOLD"));
    EXPECT_THAT(firewall.units().find("slow.service")->error, HasSubstr("is still being loaded"));
    start("open.service", 7);
    EXPECT_THAT(ingress(7), IsEmpty()) << "as OnFailure= says";
    EXPECT_TRUE(firewall.files().errors().empty());
    kernel.unfinished.clear();
    slow.tryAgain();
    EXPECT_EQ(loaded, 1);
    for (const std::uint64_t id : {6U, 7U})
        EXPECT_THAT(ingress(id), ElementsAre("slow"));
    EXPECT_EQ(stateOf("slow.service"), UnitState::Attached);
}

// Whatever others want meanwhile, and whether they get it or not.
TEST_F(SlowStart, AChangeMeanwhileCutsNobodyOff) {
    tree.add("slow.service", 3);
    tree.add("open.service", 4);
    begin();
    load("other");
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("other.service", {"other"}), 5));
    EXPECT_THAT(ingress(3), IsEmpty());
    start("bad.service", 9);
    kernel.refusesAttach = {"/system.slice/bad.service"};
    ASSERT_FALSE(firewall.queues().set(FirewallBed::rule("bad.service", {"other"}), {}));
    EXPECT_THAT(ingress(3), IsEmpty());
    ASSERT_TRUE(firewall.queues().endTrials(6));
    EXPECT_THAT(ingress(3), IsEmpty());
    start("slow.service", 6);
    EXPECT_THAT(ingress(6), ElementsAre("HOLD"));
    kernel.unfinished.clear();
    slow.tryAgain();
    EXPECT_EQ(loaded, 1);
    for (const std::uint64_t id : {3U, 4U, 6U})
        EXPECT_THAT(ingress(id), ElementsAre("slow"));
}

TEST_F(SlowStart, OneThatFailsInTheEndCostsItsOwnUnits) {
    define("slow", "bad");
    begin();
    start("slow.service", 6);
    kernel.unfinished.clear();
    slow.tryAgain();
    EXPECT_EQ(loaded, 1);
    EXPECT_THAT(ingress(6), ElementsAre("HOLD"));
    EXPECT_THAT(firewall.files().errors(), ElementsAre(HasSubstr("R0 !read_ok")));
    start("quick.service", 5);
    EXPECT_THAT(ingress(5), ElementsAre("quick"));
}

// The others are in force, and it is not tried again before somebody asks.
TEST_F(SlowStart, AFilterThatHasEndedTheDaemonIsNotLoadedAgainByItself) {
    kernel.unfinished.clear();
    crashes.blamed = {"load filter slow"};
    begin();
    EXPECT_EQ(loaded, 1);
    start("slow.service", 6);
    start("quick.service", 5);
    EXPECT_THAT(ingress(6), ElementsAre("HOLD"));
    EXPECT_THAT(ingress(5), ElementsAre("quick"));
    EXPECT_THAT(firewall.files().errors(),
                ElementsAre("/etc/slow.filter:2: filter 'slow': it has ended twice"));
    EXPECT_THAT(crashes.done, testing::Not(testing::Contains("load filter slow")));
    ASSERT_TRUE(firewall.files().configure(configuration)); // a daemon-reload
    EXPECT_THAT(ingress(6), ElementsAre("HOLD"));
    EXPECT_EQ(kernel.loads, 1U);
    crashes.forgiveAll();
    ASSERT_TRUE(firewall.files().configure(configuration));
    EXPECT_THAT(ingress(6), ElementsAre("slow"));
}

// An attempt that only begins says nothing of what comes after.
TEST_F(SlowStart, AFilterIsForgivenWhenItIsInForce) {
    begin();
    EXPECT_THAT(crashes.done, ElementsAre("load filter quick"));
    kernel.unfinished = {"queue slow"};
    slow.tryAgain();
    EXPECT_THAT(crashes.done, ElementsAre("load filter quick"));
    kernel.unfinished.clear();
    slow.tryAgain();
    EXPECT_THAT(crashes.done, testing::Contains("load filter slow"));
    EXPECT_EQ(crashes.now, "");
}

// A daemon that starts anew finds what an earlier one has attached, and files that were changed meanwhile.
TEST_F(SlowStart, WhatIsAttachedStaysUntilItsSuccessorIsThere) {
    kernel.unfinished.clear();
    tree.add("slow.service", 3);
    begin();
    ASSERT_THAT(ingress(3), ElementsAre("slow"));
    const auto old = kernel.attachments;
    define("slow", "s2");
    define("more", "m");
    configuration.rules[1].ingress.push_back(test::filterName("more"));
    kernel.unfinished = {"load slow", "load more"};
    Firewall next({kernel, tree, store, crashes});
    int isLoaded = 0;
    ASSERT_TRUE(next.start(configuration, true, slow, [&] { ++isLoaded; }));
    EXPECT_EQ(kernel.attachments, old);
    kernel.unfinished = {"load slow"};
    slow.tryAgain();
    EXPECT_THAT(ingress(3), ElementsAre("slow", "more"));
    EXPECT_EQ(isLoaded, 0);
    const auto between = kernel.attachments;
    kernel.unfinished.clear();
    slow.tryAgain();
    EXPECT_EQ(isLoaded, 1);
    EXPECT_THAT(ingress(3), ElementsAre("slow", "more"));
    EXPECT_NE(kernel.attachments, between);
    EXPECT_THAT(kernel.unloadedInUse, IsEmpty());
}

TEST_F(SlowStart, AReloadMeanwhileBringsWhatItNeedsAndTheStartEndsAllTheSame) {
    begin();
    kernel.unfinished.clear();
    ASSERT_TRUE(firewall.files().configure(configuration));
    start("slow.service", 6);
    EXPECT_THAT(ingress(6), ElementsAre("slow"));
    const auto loads = kernel.loads;
    slow.tryAgain();
    EXPECT_EQ(loaded, 1);
    EXPECT_EQ(kernel.loads, loads) << "loaded twice";
}

} // namespace
} // namespace filterd
