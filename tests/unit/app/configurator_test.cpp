// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The configuration in force: warnings, reloads, and what a restart finds.

#include "app/configurator.hpp"
#include "definitions_bed.hpp"
#include "fake_guard.hpp"
#include "tests/shared/fake_expressions.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ConfiguratorTest : public test::DefinitionsBed {
  protected:
    // The reader gives what the test put together; `last` is what it was given.
    Configurator configurator(Firewall& over) {
        return {[this](const Configuration& before) {
                    last = before;
                    EXPECT_EQ(crashes.now, "read the files");
                    ++reads;
                    return configuration;
                },
                [this] { return runningUnits; },
                {kept, overBoots},
                crashes,
                over,
                noter};
    }

    // Passes on to a configurator which rules are set on the bus.
    struct RuleWatch final : Observer {
        RuleWatch(Firewall& firewall, Configurator& of) : configurator(of) { firewall.subscribe(*this); }
        void rulesSet(const std::string& target) override { configurator.rulesChanged(target); }
        Configurator& configurator;
    };

    PromptCalls prompt;
    test::FakeStore kept;
    test::FakeStore overBoots;
    int reads = 0;
    test::FakeExpressions expressions;
    test::FakeNoter noter{expressions};
    Configuration last;
    RunningUnits runningUnits;
};

TEST_F(ConfiguratorTest, AFileThatIsNotInForceSinceOtherContentWasLoadedIsToldOf) {
    define("web", "w");
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    const auto load = [&](char content) {
        LoadRequest request{.name = test::filterName("web"), .content = ElfObject{{std::byte(content)}}};
        request.replace = true;
        return own.filters().load(request);
    };
    ASSERT_TRUE(load('w'));
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), IsEmpty()) << "it is what the file says";
    ASSERT_TRUE(load('o'));
    ASSERT_TRUE(running.filterLoaded(**own.filters().facts(test::filterName("web"))));
    EXPECT_THAT(running.warnings(),
                ElementsAre(testing::AllOf(
                    StartsWith("/etc/web.filter:2: not in force: other content was loaded as 'web'"),
                    HasSubstr("filterctl unload web"))));
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), testing::SizeIs(1));
    ASSERT_TRUE(own.filters().unload(test::filterName("web")));
    EXPECT_TRUE(running.filterVanished());
    EXPECT_THAT(running.warnings(), IsEmpty());
}

TEST_F(ConfiguratorTest, UnloadingOtherContentThatIsInUsePutsTheFilesInItsPlace) {
    define("web", "w");
    rule("web.service", "web");
    configuration.units.known.ofSystem = {"web.service"};
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    const RuleWatch watch(own, running);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    const auto unit = tree.add("web.service", 7);
    own.units().appeared(unit);
    const auto web = test::filterName("web");
    const auto digest = [&] { return (*own.filters().facts(web))->instance.digest; };
    const auto ofFile = digest();
    LoadRequest request{.name = web, .content = ElfObject{{std::byte('o')}}};
    request.replace = true;
    ASSERT_TRUE(own.filters().load(request));
    ASSERT_NE(digest(), ofFile);
    ASSERT_TRUE(running.filterLoaded(**own.filters().facts(web)));
    EXPECT_THAT(running.warnings(), testing::SizeIs(1));
    ASSERT_TRUE(own.filters().unload(web));
    EXPECT_EQ(digest(), ofFile);
    EXPECT_THAT(running.warnings(), IsEmpty());
    EXPECT_EQ(kernel.queueAt({7}, Direction::Ingress), std::vector<std::string>{"web"});
    const auto again = own.filters().unload(web);
    ASSERT_FALSE(again) << "it is the file's by now, and its rule needs it";
    EXPECT_EQ(again.error().code, ErrorCode::FilterInUse);
}

TEST_F(ConfiguratorTest, WhatIsLeftOfAFileThatIsGoneIsToldOf) {
    define("web", "w");
    rule("web.service", "web");
    configuration.units.known.ofSystem = {"web.service"};
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    EXPECT_THAT(running.warnings(), IsEmpty());
    configuration.filters = {};
    configuration.filters.mask("web", "/etc/web.filter");
    ASSERT_TRUE(running.reload());
    EXPECT_TRUE(own.filters().facts(test::filterName("web"))) << "its rule needs it";
    EXPECT_THAT(running.warnings(), ElementsAre(HasSubstr("the filter 'web' is masked by /etc/web.filter")));
}

TEST_F(ConfiguratorTest, OfAFileOfTheSystemOnlyWhoNamesItInAFileIsTold) {
    temp.write("drop.o", "d");
    configuration.filters.add("drop",
                              {ConfigText{"/usr/lib/filterd/drop.filter",
                                          "[Filter]\nObject=" + (temp.path() / "drop.o").string() + "\n"},
                               {}});
    configuration.units.known.ofSystem = {"web.service"};
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    ASSERT_TRUE(own.filters().load({.name = test::filterName("drop"), .content = BuiltinFilter{"drop"}}));
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), IsEmpty()) << "nobody has asked for that file";
    rule("web.service", "drop");
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(),
                ElementsAre(StartsWith("/usr/lib/filterd/drop.filter:2: not in force: ")));
    configuration.rules.clear();
    configuration.filters.add("drop",
                              {configuration.filters.all().at("drop").main,
                               {{"x.conf", ConfigText{"/etc/filterd/drop.filter.d/x.conf", "[Filter]\n"}}}});
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), testing::SizeIs(1)) << "the administrator has written a drop-in for it";
}

TEST_F(ConfiguratorTest, WarningsAreOfFilesAndOfWhatIsSetOnTheBus) {
    define("web", "w");
    rule("web.service", "web");
    rule("wbe.service", "web");
    configuration.units.known.ofSystem = {"web.service"};
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    const RuleWatch watch(own, running);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    EXPECT_THAT(
        running.warnings(),
        ElementsAre(HasSubstr("'wbe.service' covers no unit that systemd knows; did you mean web.service?")));
    Rule set{
        .source = "", .targets = {"ngnix.service"}, .ingress = {*FilterName::parse("web")}, .egress = {}};
    ASSERT_TRUE(own.queues().set(set, {}));
    EXPECT_THAT(running.warnings(), testing::Contains(HasSubstr("bus: 'ngnix.service' covers no unit")));
    ASSERT_TRUE(own.queues().reset("ngnix.service"));
    EXPECT_EQ(running.warnings().size(), 1U);
    runningUnits.units = {"wbe.service"};
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), testing::IsEmpty());
}

TEST_F(ConfiguratorTest, WarningsFollowTheUnitsThatRun) {
    define("web", "w");
    rule("late.service", "web");
    configuration.units.known.ofSystem = {"web.service"};
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    const auto late = ElementsAre(HasSubstr("'late.service' covers no unit that systemd knows"));
    EXPECT_THAT(running.warnings(), late);
    runningUnits.units = {"late.service"};
    EXPECT_TRUE(running.unitsChanged());
    EXPECT_FALSE(running.unitsChanged()); // a look is due already
    EXPECT_THAT(running.warnings(), testing::IsEmpty());
    runningUnits.units = {};
    EXPECT_TRUE(running.unitsChanged());
    testing::internal::CaptureStderr();
    EXPECT_THAT(running.warnings(), late);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("late.service")));
    configuration.units.known.ofSystem = {"late.service"};
    ASSERT_TRUE(running.reload());
    EXPECT_FALSE(running.unitsChanged()); // nothing that runs changes what is to be said
    EXPECT_THAT(running.warnings(), testing::IsEmpty());
}

TEST_F(ConfiguratorTest, WhatIsSetAgainIsToldOfAgainAndNothingElseIs) {
    define("web", "w");
    rule("wbe.service", "web");
    configuration.units.known.ofSystem = {"web.service"};
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    const RuleWatch watch(own, running);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    const Rule set{
        .source = "", .targets = {"ngnix.service"}, .ingress = {*FilterName::parse("web")}, .egress = {}};
    for (int i = 0; i < 2; ++i) {
        testing::internal::CaptureStderr();
        ASSERT_TRUE(own.queues().set(set, {}));
        static_cast<void>(running.warnings());
        static_cast<void>(running.warnings());
        const auto told = testing::internal::GetCapturedStderr();
        const auto first = told.find("bus: 'ngnix.service' covers no unit");
        EXPECT_NE(first, std::string::npos) << told;
        EXPECT_EQ(told.find("bus: 'ngnix.service' covers no unit", first + 1), std::string::npos) << told;
        EXPECT_EQ(told.find("'wbe.service' covers no unit"), std::string::npos) << told;
        ASSERT_TRUE(own.queues().reset("ngnix.service")); // and nobody looks before it is set again
    }
}

TEST_F(ConfiguratorTest, TheGoodStateOutlivesARestart) {
    define("web", "w");
    configuration.filters.add("t@",
                              {std::nullopt, {{"1.conf", ConfigText{"/1", "x"}}, {"2.conf", std::nullopt}}});
    rule("web.service", "web", OnFailure::Pass);
    rule("broken.service", "web");
    configuration.rules.back().broken = "never good";
    configuration.errors = {"/etc/broken.queue:1: typo"};
    Firewall first({kernel, tree, store, crashes});
    auto running = configurator(first);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    EXPECT_THAT(running.errors(), ElementsAre("/etc/broken.queue:1: typo"));

    Firewall second({kernel, tree, store, crashes});
    ASSERT_TRUE(configurator(second).start(true, prompt, [] {}));
    EXPECT_EQ(last.filters, configuration.filters);
    ASSERT_EQ(last.rules.size(), 1U);
    EXPECT_EQ(last.rules.front(), configuration.rules.front());
}

// They are compiled for it, which takes its time.
TEST_F(ConfiguratorTest, WhatRulesLeaveOpenIsLearntOnce) {
    const auto file = [&](const std::string& rule) {
        configuration.filters.add("web",
                                  {ConfigText{"/etc/web.filter", "[Filter]\nRule=" + rule + "\n"}, {}});
    };
    file("allow never");
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    EXPECT_THAT(running.warnings(), ElementsAre(HasSubstr("no packet matches it")));
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), testing::SizeIs(1));
    EXPECT_EQ(noter.asked, 1U);
    noter.fault = Error{ErrorCode::LimitExceeded, "it takes too long"};
    file("deny never");
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), ElementsAre(testing::AllOf(HasSubstr("it takes too long"),
                                                               HasSubstr("'filterctl check' tells"))));
    noter.fault.reset();
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), ElementsAre(HasSubstr("no packet matches it")));
}

// A crash loop ends with rules in force.
TEST_F(ConfiguratorTest, FilesThatHaveEndedTheDaemonAreNotReadAgainByItself) {
    define("web", "w");
    rule("web.service", "web");
    Firewall first({kernel, tree, store, crashes});
    auto running = configurator(first);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    EXPECT_THAT(crashes.done, testing::Contains("read the files"));
    EXPECT_EQ(crashes.now, "");
    crashes.done.clear();
    crashes.blamed = {"read the files"};
    kept.text.clear(); // the machine was booted
    reads = 0;

    Firewall second({kernel, tree, store, crashes});
    auto restarted = configurator(second);
    ASSERT_TRUE(restarted.start(true, prompt, [] {}));
    EXPECT_EQ(reads, 0);
    start("web.service", 7);
    second.units().appeared(tree.present.front());
    EXPECT_THAT(ingress(7), ElementsAre("web"));
    EXPECT_THAT(restarted.errors(),
                ElementsAre(testing::AllOf(HasSubstr("it has ended twice"),
                                           HasSubstr("what they said before is in force"))));
    EXPECT_FALSE(restarted.reload()) << "nobody has asked: it is a daemon-reload";
    EXPECT_EQ(reads, 0);
    EXPECT_THAT(crashes.done, testing::Not(testing::Contains("read the files")));
    crashes.forgiveAll();
    EXPECT_TRUE(restarted.reload());
    EXPECT_EQ(reads, 1);
    EXPECT_THAT(restarted.errors(), IsEmpty());
}

TEST_F(ConfiguratorTest, AReloadNamesEveryFaultAndAppliesTheRest) {
    Firewall own({kernel, tree, store, crashes});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    start("web.service", 1);
    own.units().appeared(tree.present.front());
    define("web", "w");
    define("bad", "bad", "Load=yes\n");
    rule("web.service", "web");
    configuration.errors = {"/etc/a.queue:1: typo"};
    const auto done = running.reload();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::BadConfiguration);
    EXPECT_THAT(done.error().message,
                AllOf(HasSubstr("/etc/a.queue:1: typo"), HasSubstr("/etc/bad.filter:2: ")));
    EXPECT_THAT(ingress(1), ElementsAre("web"));
}

TEST_F(ConfiguratorTest, AReloadThatTheGuardCannotFollowFails) {
    auto made = std::make_unique<test::FakeGuard>();
    auto* guard = made.get();
    Firewall own({kernel, tree, store, crashes}, {std::move(made), {}});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    define("web", "w");
    rule("web.service", "web");
    guard->refusesRules = true;
    const auto done = running.reload();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("the guard keeps its old rules"));
    EXPECT_THAT(running.errors(), ElementsAre(HasSubstr("the guard keeps its old rules")));
    guard->refusesRules = false;
    EXPECT_TRUE(running.reload());
    EXPECT_THAT(running.errors(), IsEmpty());
}

TEST_F(ConfiguratorTest, WithoutAGuardAReloadNamesEachOnFailureHoldAndItsRuleIsInForce) {
    Firewall own({kernel, tree, store, crashes}, {nullptr, {.btf = false, .reason = "no types"}});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true, prompt, [] {}));
    start("web.service", 1);
    own.units().appeared(tree.present.front());
    define("web", "w");
    rule("web.service", "web");
    EXPECT_TRUE(running.reload()) << "nobody asks for it";
    configuration.rules.back().holdAskedAt = "/etc/web.queue:5";
    const auto done = running.reload();
    ASSERT_FALSE(done);
    EXPECT_THAT(running.errors(),
                ElementsAre(AllOf(StartsWith("/etc/web.queue:5: OnFailure=hold is not kept"),
                                  HasSubstr("no types"))));
    EXPECT_THAT(ingress(1), ElementsAre("web"));
}

TEST_F(ConfiguratorTest, ADamagedCopyIsLikeAFirstStart) {
    for (const auto* text : {"not json", "{\"version\": 2}", "{\"version\": 1}"}) {
        kept.text = text;
        Firewall own({kernel, tree, store, crashes});
        EXPECT_TRUE(configurator(own).start(true, prompt, [] {})) << text;
        EXPECT_EQ(last, Configuration{}) << text;
    }
}

} // namespace
} // namespace filterd
