// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Files whose filters are not finished yet, and files of many filters.

#include "slow_calls_bed.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SlowReload : public test::SlowCallsBed {};

TEST_F(SlowReload, AReloadComesIntoForceAsOne) {
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
TEST_F(SlowReload, AReloadOfManyFiltersTakesManyAttempts) {
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
    EXPECT_THAT(crashes.done, testing::Contains("load filter f4")) << "it is in force";
}

// What cannot be loaded takes its time once, and is told once.
TEST_F(SlowReload, AFilterThatCannotBeLoadedKeepsNoOtherFromItsTurn) {
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

TEST_F(SlowReload, ACallThatIsRefusedInTheEndLeavesNoFilter) {
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
TEST_F(SlowReload, AFilterOfACallThatWaitsIsStillItsFiles) {
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

TEST_F(SlowReload, WhatIsReadyIsBackAtOnceWhereSomethingElseIsNot) {
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

TEST_F(SlowReload, AReloadThatIsGivenUpHalfWayLeavesNothing) {
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
TEST_F(SlowReload, AReloadThatIsGivenUpChangesNothing) {
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

// All at once does not go, and so they go one by one: what is made is not taken back while another waits.
TEST_F(SlowReload, FilesThatChangeOneByOneAreAttempts) {
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

} // namespace
} // namespace filterd
