// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What the firewall does with filters that files define.

#include "definitions_bed.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

using test::filterName;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using DefinitionsTest = test::DefinitionsBed;

TEST_F(DefinitionsTest, AFilterIsLoadedWhenARuleNamesItAndGoesWithTheRule) {
    define("web", "w");
    define("other", "o");
    apply();
    EXPECT_TRUE(kernel.published.empty());
    start("web.service", 1);
    rule("web.service", "web");
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("web"));
    EXPECT_THAT(publisher.filters, ElementsAre("web"));
    EXPECT_EQ(holders("web").front().first, "rule");
    configuration.rules.clear();
    apply();
    EXPECT_TRUE(kernel.published.empty());
    EXPECT_TRUE(publisher.filters.empty());
}

TEST_F(DefinitionsTest, LoadYesLoadsAtOnceAndOnlyItsFileTakesItBack) {
    define("web", "w", "Load=yes\n");
    apply();
    EXPECT_EQ(kernel.published.size(), 1U);
    EXPECT_THAT(holders("web"), ElementsAre(std::pair<std::string, std::string>{"file", "/etc/web.filter"}));
    EXPECT_EQ(firewall.filters().unload(filterName("web")).error().code, ErrorCode::FilterInUse);
    define("web", "w");
    apply();
    EXPECT_TRUE(kernel.published.empty());
}

TEST_F(DefinitionsTest, ACallerAcquiresADefinedFilterByItsNameAlone) {
    define("web", "w");
    apply();
    const Holder client{Holder::Kind::Client, ":1.7"};
    ASSERT_TRUE(firewall.filters().acquire(client, filterName("web")));
    EXPECT_EQ(kernel.published.size(), 1U);
    ASSERT_TRUE(firewall.filters().release(client, filterName("web")));
    EXPECT_TRUE(kernel.published.empty());
    EXPECT_EQ(firewall.filters().acquire(client, filterName("none")).error().code, ErrorCode::NoSuchFilter);
}

TEST_F(DefinitionsTest, AFileThatIsNotReadYetIsNamedToWhoWantsItsFilter) {
    surroundings.fileOf = [](const FilterName& name) {
        return name.text() == "new" ? std::string("/etc/filterd/new.filter") : std::string();
    };
    const Holder client{Holder::Kind::Client, ":1.7"};
    const Rule onBus{.source = "", .targets = {"web.service"}, .ingress = {filterName("new")}, .egress = {}};
    for (const auto& error : {firewall.filters().acquire(client, filterName("new")).error(),
                              firewall.queues().set(onBus).error()}) {
        EXPECT_EQ(error.code, ErrorCode::NoSuchFilter);
        EXPECT_EQ(error.message,
                  "no filter 'new' is loaded; /etc/filterd/new.filter defines it, but is not read "
                  "yet: call 'filterctl reload'");
    }
    const auto missing = firewall.filters().acquire(client, filterName("none")).error();
    EXPECT_NE(missing.message.find("no file defines it"), std::string::npos);
}

TEST_F(DefinitionsTest, ARuleOfTheBusLoadsWhatItNames) {
    define("web", "w");
    define("bad", "bad object");
    apply();
    start("web.service", 1);
    Rule onBus{.source = "",
               .targets = {"web.service"},
               .ingress = {filterName("web"), filterName("bad")},
               .egress = {}};
    const auto refused = firewall.queues().set(onBus);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, StartsWith("/etc/bad.filter:2: "));
    EXPECT_TRUE(kernel.published.empty()); // I2
    onBus.ingress.pop_back();
    ASSERT_TRUE(firewall.queues().set(onBus));
    EXPECT_THAT(ingress(1), ElementsAre("web"));
}

TEST_F(DefinitionsTest, AMissingObjectGivesTheRulesOnFailureAndNamesTheLine) {
    start("hold.service", 1);
    start("pass.service", 2);
    start("good.service", 3);
    define("gone", "x");
    define("good", "g");
    std::filesystem::remove(temp.path() / "gone.o");
    rule("hold.service", "gone");
    rule("pass.service", "gone", OnFailure::Pass);
    rule("good.service", "good");
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("HOLD"));
    EXPECT_THAT(ingress(2), IsEmpty());
    EXPECT_THAT(ingress(3), ElementsAre("good"));
    EXPECT_THAT(publisher.units.at("hold.service").error, StartsWith("/etc/gone.filter:2: open "));
    EXPECT_THAT(firewall.files().errors(), ElementsAre(StartsWith("/etc/gone.filter:2: open ")));
    define("gone", "back");
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("gone"));
    EXPECT_THAT(firewall.files().errors(), IsEmpty());
}

TEST_F(DefinitionsTest, AChangedObjectReplacesTheFilterInEveryQueue) {
    start("a.service", 1);
    start("b.service", 2);
    define("web", "old");
    rule("a.service", "web");
    rule("b.service", "web");
    apply();
    const auto before = kernel.attachments;
    const auto changes = kernel.changes;
    apply(); // nothing changed
    EXPECT_EQ(kernel.attachments, before);
    EXPECT_EQ(kernel.changes, changes);
    define("web", "new");
    apply();
    EXPECT_EQ(kernel.changes, changes + 2); // from the old queue to the new one in one step
    for (const auto& [point, queue] : before)
        EXPECT_NE(kernel.attachments.at(point), queue);
    EXPECT_EQ(kernel.published.size(), 1U);
    EXPECT_EQ(kernel.loaded.size(), 1U);
    EXPECT_TRUE(kernel.unloadedInUse.empty());
}

TEST_F(DefinitionsTest, AChangedObjectThatFailsKeepsTheOldOneAndStopsNoOther) { // I2
    start("a.service", 1);
    start("b.service", 2);
    define("one", "old");
    define("two", "old");
    rule("a.service", "one");
    rule("b.service", "two");
    apply();
    const auto one = kernel.attachments.at({{1}, Direction::Ingress});
    const auto two = kernel.attachments.at({{2}, Direction::Ingress});
    define("one", "bad");
    define("two", "new");
    apply();
    EXPECT_EQ(kernel.attachments.at({{1}, Direction::Ingress}), one);
    EXPECT_NE(kernel.attachments.at({{2}, Direction::Ingress}), two);
    EXPECT_THAT(firewall.files().errors(), ElementsAre(StartsWith("/etc/one.filter:2: ")));

    kernel.refusesAttach = {"/system.slice/b.service"}; // fails only in the queue of b.service
    define("one", "better");
    define("two", "newest");
    const auto kept = kernel.attachments.at({{2}, Direction::Ingress});
    apply();
    EXPECT_NE(kernel.attachments.at({{1}, Direction::Ingress}), one);
    EXPECT_EQ(kernel.attachments.at({{2}, Direction::Ingress}), kept);
    EXPECT_EQ(firewall.files().errors().size(), 1U);
}

TEST_F(DefinitionsTest, AFilterThatGoesWithItsRuleIsNotBrokenByItsFile) {
    start("a.service", 1);
    define("one", "good");
    rule("a.service", "one");
    apply();
    define("one", "bad");
    configuration.rules.clear();
    apply();
    EXPECT_THAT(firewall.files().errors(), IsEmpty());
    EXPECT_TRUE(kernel.published.empty());
}

TEST_F(DefinitionsTest, WhatACallerLoadedIsNotChangedByAFile) {
    LoadRequest request{filterName("web"), ElfObject{{std::byte{'x'}}}, "", false, false, ":1.1"};
    ASSERT_TRUE(firewall.filters().load(request));
    const auto instance = firewall.filters().all().at(filterName("web")).instance;
    define("web", "from file");
    rule("web.service", "web");
    apply();
    EXPECT_EQ(firewall.filters().all().at(filterName("web")).instance, instance);
}

TEST_F(DefinitionsTest, ARestartKeepsFollowingTheFile) { // I5
    start("web.service", 1);
    define("web", "old");
    rule("web.service", "web");
    apply();
    const auto changes = kernel.changes;
    const auto loads = kernel.loads;
    Firewall next({kernel, tree, store, crashes});
    ASSERT_TRUE(next.start(configuration, true));
    EXPECT_EQ(kernel.changes, changes);
    EXPECT_EQ(kernel.loads, loads);
    define("web", "new");
    ASSERT_TRUE(next.files().configure(configuration));
    EXPECT_EQ(kernel.changes, changes + 1);
}

TEST_F(DefinitionsTest, AProgramThatSomebodyElsePinnedIsTaken) {
    start("web.service", 1);
    configuration.filters.add("theirs",
                              {ConfigText{"/etc/theirs.filter", "[Filter]\nPinned=/sys/fs/bpf/x\n"}, {}});
    rule("web.service", "theirs");
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("HOLD"));
    EXPECT_THAT(firewall.files().errors(),
                ElementsAre(StartsWith("/etc/theirs.filter:2: open pin /sys/fs/bpf/x")));
    kernel.foreign["/sys/fs/bpf/x"] = 42;
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("theirs"));
    EXPECT_EQ(firewall.filters().all().at(filterName("theirs")).programId, 42U);
    kernel.foreign["/sys/fs/bpf/x"] = 43; // they pinned another one
    apply();
    EXPECT_EQ(firewall.filters().all().at(filterName("theirs")).programId, 43U);
}

TEST_F(DefinitionsTest, ABrokenRuleHoldsItsUnitsInBothDirections) {
    start("web.service", 1);
    configuration.rules.push_back(
        {.source = "/etc/a.queue", .targets = {"web.service"}, .ingress = {}, .egress = {}});
    configuration.rules.back().broken = "/etc/a.queue:3: unknown key";
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("HOLD"));
    EXPECT_THAT(kernel.queueAt({1}, Direction::Egress), ElementsAre("HOLD"));
    EXPECT_EQ(publisher.units.at("web.service").error, "/etc/a.queue:3: unknown key");
    configuration.rules.back().onFailure = OnFailure::Pass;
    apply();
    EXPECT_TRUE(kernel.attachments.empty());
    EXPECT_EQ(publisher.units.at("web.service").state, UnitState::Failed);
}

TEST_F(DefinitionsTest, EnsureTellsWhetherAUnitsQueueIsUp) {
    define("web", "w");
    rule("web.service", "web");
    rule("held.service", "none");
    apply();
    EXPECT_EQ(firewall.queues().ensure("web").error().code, ErrorCode::InvalidName);
    EXPECT_EQ(firewall.queues().ensure("web.service").error().code, ErrorCode::NoSuchUnit);
    tree.add("web.service", 1); // nobody told us yet
    EXPECT_TRUE(firewall.queues().ensure("web.service"));
    EXPECT_THAT(ingress(1), ElementsAre("web"));
    start("other.service", 2);
    EXPECT_EQ(firewall.queues().ensure("other.service").error().code, ErrorCode::NoSuchUnitRule);
    start("held.service", 3);
    EXPECT_THAT(firewall.queues().ensure("held.service").error().message,
                HasSubstr("'held.service' is held: no filter"));
    firewall.setEnforcing(false);
    ASSERT_TRUE(firewall.rescan());
    EXPECT_TRUE(firewall.queues().ensure("held.service")); // I8
}

} // namespace
} // namespace filterd
