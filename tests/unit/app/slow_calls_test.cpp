// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Changes whose programs are not finished yet: nothing of them is seen, and then all of it.

#include "definitions_bed.hpp"
#include "fake_guard.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SlowCallsTest : public test::DefinitionsBed {
  protected:
    using Call = std::function<Status()>;

    // A method call; the status of its last attempt, once it has been answered.
    std::shared_ptr<std::optional<Status>> call(Call body) {
        const auto last = std::make_shared<Status>();
        auto answer = std::make_shared<std::optional<Status>>();
        slow.run(
            {}, [=] { *last = body(); }, [=] { *answer = *last; });
        return answer;
    }

    // What is in the kernel and stands under a name, and what is saved.
    [[nodiscard]] auto state() {
        return std::tuple(kernel.published.size(), kernel.queues, kernel.attachments,
                          firewall.filters().all().size(), store.text,
                          firewall.inForce().intent().rules->ordered().size());
    }

    [[nodiscard]] UnitState stateOf(const std::string& unit) { return firewall.units().find(unit)->state; }

    test::FakeSlowCalls slow{kernel};
};

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

TEST_F(SlowCallsTest, AReloadComesIntoForceAsOne) {
    define("a", "1");
    rule("a.service", "a");
    apply();
    start("a.service", 7);
    define("a", "2");
    define("b", "1");
    rule("b.service", "b");
    start("b.service", 8);
    const auto before = state();
    const auto old = kernel.attachments;
    kernel.unfinished = {"load b"};
    const auto answer = call([this] { return firewall.files().configure(configuration); });
    EXPECT_FALSE(*answer);
    EXPECT_EQ(state(), before);
    EXPECT_TRUE(firewall.files().errors().empty()) << "nothing has failed";
    kernel.unfinished = {"queue a"};
    slow.tryAgain();
    EXPECT_FALSE(*answer);
    EXPECT_EQ(kernel.attachments, old);
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_TRUE(**answer);
    EXPECT_THAT(ingress(7), ElementsAre("a"));
    EXPECT_THAT(ingress(8), ElementsAre("b"));
    EXPECT_NE(kernel.attachments[(AttachPoint{{7}, Direction::Ingress})], old.begin()->second);
}

// No attempt takes long, however many filters there are; none of them is loaded twice.
TEST_F(SlowCallsTest, AReloadOfManyFiltersTakesManyAttempts) {
    for (int number = 0; number < 5; ++number) {
        const auto name = "f" + std::to_string(number);
        define(name, "1");
        rule(name + ".service", name);
    }
    start("f4.service", 7);
    kernel.worksPerAttempt = 2;
    const auto answer = call([this] { return firewall.files().configure(configuration); });
    EXPECT_FALSE(*answer);
    EXPECT_EQ(firewall.filters().all().size(), 0U);
    EXPECT_EQ(kernel.loads, 2U);
    slow.tryAgain();
    EXPECT_FALSE(*answer);
    EXPECT_EQ(kernel.loads, 4U);
    slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_TRUE(**answer);
    EXPECT_EQ(kernel.loads, 5U);
    EXPECT_THAT(ingress(7), ElementsAre("f4"));
}

// What cannot be loaded takes its time once, and is told once.
TEST_F(SlowCallsTest, AFilterThatCannotBeLoadedKeepsNoOtherFromItsTurn) {
    define("a", "bad");
    define("b", "1");
    rule("a.service", "a");
    rule("b.service", "b");
    start("b.service", 7);
    kernel.worksPerAttempt = 1;
    const auto answer = call([this] { return firewall.files().configure(configuration); });
    for (int attempt = 0; attempt < 4 && !*answer; ++attempt)
        slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_THAT(ingress(7), ElementsAre("b"));
    EXPECT_EQ(kernel.loads, 2U);
    EXPECT_THAT(firewall.files().errors(), ElementsAre(HasSubstr("R0 !read_ok")));
}

TEST_F(SlowCallsTest, ACallThatIsRefusedInTheEndLeavesNoFilter) {
    define("good", "1");
    define("other", "bad");
    apply();
    kernel.worksPerAttempt = 1;
    const auto answer = call([this] {
        return firewall.queues().set(FirewallBed::rule("a.service", {"good", "other"}), {});
    });
    for (int attempt = 0; attempt < 4 && !*answer; ++attempt)
        slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_FALSE(**answer);
    EXPECT_TRUE(kernel.loaded.empty());
    EXPECT_TRUE(kernel.published.empty());
}

// The pins are looked at while another call has loaded a filter that nobody has yet.
TEST_F(SlowCallsTest, AFilterOfACallThatWaitsIsStillItsFiles) {
    define("web", "1");
    apply();
    start("a.service", 7);
    kernel.unfinished = {"queue web"};
    const auto answer =
        call([this] { return firewall.queues().set(FirewallBed::rule("a.service", {"web"}), {}); });
    EXPECT_FALSE(*answer);
    ASSERT_TRUE(firewall.files().configure(configuration));
    EXPECT_TRUE(firewall.filters().all().empty()) << "it is not in force yet";
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_TRUE(**answer);
    const auto old = kernel.attachments;
    define("web", "2");
    apply();
    EXPECT_NE(kernel.attachments, old) << "it follows its file";
}

TEST_F(SlowCallsTest, WhatIsReadyIsBackAtOnceWhereSomethingElseIsNot) {
    load("bad");
    load("good");
    kernel.unbuildable = {"bad"};
    start("a.service", 7);
    start("b.service", 8);
    rule("a.service", "bad");
    rule("b.service", "good");
    apply();
    kernel.unbuildable.clear();
    kernel.unfinished = {"queue bad"};
    kernel.attachments.clear();
    const auto back = call([this] { return firewall.files().pinsRemoved(); });
    EXPECT_THAT(ingress(8), ElementsAre("good"));
    EXPECT_THAT(ingress(7), ElementsAre("HOLD"));
    EXPECT_FALSE(*back);
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*back);
    EXPECT_THAT(ingress(7), ElementsAre("bad"));
}

TEST_F(SlowCallsTest, AReloadThatIsGivenUpHalfWayLeavesNothing) {
    for (const auto* name : {"a", "b", "c"}) {
        define(name, "1");
        rule(std::string(name) + ".service", name);
    }
    apply();
    for (const auto* name : {"a", "b", "c"})
        define(name, "2");
    const auto before = state();
    kernel.worksPerAttempt = 1;
    static_cast<void>(call([this] { return firewall.files().configure(configuration); }));
    EXPECT_EQ(state(), before);
    EXPECT_GT(kernel.loaded.size(), kernel.published.size());
    slow.parked.clear();
    load("other"); // the next change
    EXPECT_EQ(kernel.loaded.size(), kernel.published.size());
}

// Its client is gone before the queues are there: nobody wants what the files say now.
TEST_F(SlowCallsTest, AReloadThatIsGivenUpChangesNothing) {
    define("a", "1");
    rule("a.service", "a");
    apply();
    start("a.service", 7);
    start("b.service", 8);
    rule("b.service", "a");
    define("a", "2");
    const auto before = state();
    for (const auto* work : {"load a", "queue a"}) {
        kernel.unfinished = {work};
        const auto answer = call([this] { return firewall.files().configure(configuration); });
        EXPECT_FALSE(*answer);
        EXPECT_EQ(state(), before) << work;
        slow.parked.clear();
    }
    kernel.unfinished.clear();
    load("c");
    ASSERT_TRUE(firewall.queues().set(FirewallBed::rule("c.service", {"c"}), {}));
    EXPECT_THAT(ingress(8), IsEmpty());
    EXPECT_EQ(kernel.loaded.size(), kernel.published.size()) << "what it has loaded is unloaded";
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

// All at once does not go, and so they go one by one: what is made is not taken back while another waits.
TEST_F(SlowCallsTest, FilesThatChangeOneByOneAreAttempts) {
    for (const auto* name : {"a", "b", "c"}) {
        define(name, "1");
        rule(std::string(name) + ".service", name);
    }
    apply();
    start("a.service", 7);
    start("b.service", 8);
    start("c.service", 9);
    const auto old = kernel.attachments;
    for (const auto* name : {"a", "b", "c"})
        define(name, "2");
    kernel.refusesAttach = {"/system.slice/b.service"};
    kernel.unfinished = {"queue c"};
    const auto answer = call([this] { return firewall.files().configure(configuration); });
    EXPECT_FALSE(*answer);
    kernel.unfinished.clear();
    slow.tryAgain();
    ASSERT_TRUE(*answer);
    EXPECT_TRUE(**answer);
    const auto changed = [&](std::uint64_t id) {
        const AttachPoint point{{id}, Direction::Ingress};
        return kernel.attachments.at(point) != old.at(point);
    };
    EXPECT_TRUE(changed(7));
    EXPECT_FALSE(changed(8));
    EXPECT_TRUE(changed(9));
    EXPECT_THAT(firewall.files().errors(), ElementsAre(HasSubstr("link_update: Operation not permitted")));
}

// ---- the start ------------------------------------------------------------------------------------------

class SlowStart : public SlowCallsTest {
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
