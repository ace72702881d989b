// What the firewall does with filters that files define.

#include "app/configurator.hpp"
#include "fake_expressions.hpp"
#include "fake_guard.hpp"
#include "firewall_bed.hpp"
#include "host/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using test::filterName;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class DefinitionsTest : public test::FirewallBed {
  protected:
    void SetUp() override { ASSERT_TRUE(firewall.start({}, true)); }

    // A file NAME.filter whose object holds `content`.
    void define(const std::string& name, const std::string& content, const std::string& more = "") {
        temp.write(name + ".o", content);
        const auto object = (temp.path() / (name + ".o")).string();
        configuration.filters.add(
            name, {ConfigText{"/etc/" + name + ".filter", "[Filter]\nObject=" + object + "\n" + more}, {}});
    }

    void rule(const std::string& unit, const std::string& filter, OnFailure onFailure = OnFailure::Hold) {
        Rule rule{.source = "/etc/" + unit + ".queue",
                  .targets = {unit},
                  .ingress = {filterName(filter)},
                  .egress = {}};
        rule.onFailure = onFailure;
        configuration.rules.push_back(rule);
    }

    void apply() { ASSERT_TRUE(firewall.configure(configuration)); }

    std::vector<std::pair<std::string, std::string>> holders(const std::string& name) const {
        return firewall.filter(filterName(name))->references;
    }

    TempDirectory temp;
    Configuration configuration;
};

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
    EXPECT_EQ(firewall.unload(filterName("web")).error().code, ErrorCode::FilterInUse);
    define("web", "w");
    apply();
    EXPECT_TRUE(kernel.published.empty());
}

TEST_F(DefinitionsTest, ACallerAcquiresADefinedFilterByItsNameAlone) {
    define("web", "w");
    apply();
    const Holder client{Holder::Kind::Client, ":1.7"};
    ASSERT_TRUE(firewall.acquire(client, filterName("web")));
    EXPECT_EQ(kernel.published.size(), 1U);
    ASSERT_TRUE(firewall.release(client, filterName("web")));
    EXPECT_TRUE(kernel.published.empty());
    EXPECT_EQ(firewall.acquire(client, filterName("none")).error().code, ErrorCode::NoSuchFilter);
}

TEST_F(DefinitionsTest, AFileThatIsNotReadYetIsNamedToWhoWantsItsFilter) {
    firewall.findFilesBy([](const FilterName& name) {
        return name.text() == "new" ? std::string("/etc/filterd/new.filter") : std::string();
    });
    const Holder client{Holder::Kind::Client, ":1.7"};
    const Rule onBus{.source = "", .targets = {"web.service"}, .ingress = {filterName("new")}, .egress = {}};
    for (const auto& error :
         {firewall.acquire(client, filterName("new")).error(), firewall.setQueue(onBus).error()}) {
        EXPECT_EQ(error.code, ErrorCode::NoSuchFilter);
        EXPECT_EQ(error.message,
                  "no filter 'new' is loaded; /etc/filterd/new.filter defines it, but is not read "
                  "yet: call 'filterctl reload'");
    }
    const auto missing = firewall.acquire(client, filterName("none")).error();
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
    const auto refused = firewall.setQueue(onBus);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, StartsWith("/etc/bad.filter:2: "));
    EXPECT_TRUE(kernel.published.empty()); // I2
    onBus.ingress.pop_back();
    ASSERT_TRUE(firewall.setQueue(onBus));
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
    EXPECT_THAT(firewall.definitionErrors(), ElementsAre(StartsWith("/etc/gone.filter:2: open ")));
    define("gone", "back");
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("gone"));
    EXPECT_THAT(firewall.definitionErrors(), IsEmpty());
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
    EXPECT_THAT(firewall.definitionErrors(), ElementsAre(StartsWith("/etc/one.filter:2: ")));

    kernel.refusesAttach = {"/system.slice/b.service"}; // fails only in the queue of b.service
    define("one", "better");
    define("two", "newest");
    const auto kept = kernel.attachments.at({{2}, Direction::Ingress});
    apply();
    EXPECT_NE(kernel.attachments.at({{1}, Direction::Ingress}), one);
    EXPECT_EQ(kernel.attachments.at({{2}, Direction::Ingress}), kept);
    EXPECT_EQ(firewall.definitionErrors().size(), 1U);
}

TEST_F(DefinitionsTest, WhatACallerLoadedIsNotChangedByAFile) {
    LoadRequest request{filterName("web"), {std::byte{'x'}}, "", false, false, ":1.1"};
    ASSERT_TRUE(firewall.load(request));
    const auto instance = firewall.filters().at(filterName("web")).instance;
    define("web", "from file");
    rule("web.service", "web");
    apply();
    EXPECT_EQ(firewall.filters().at(filterName("web")).instance, instance);
}

TEST_F(DefinitionsTest, ARestartKeepsFollowingTheFile) { // I5
    start("web.service", 1);
    define("web", "old");
    rule("web.service", "web");
    apply();
    const auto changes = kernel.changes;
    const auto loads = kernel.loads;
    test::RecordingPublisher seen;
    Firewall next(kernel, tree, store, seen);
    ASSERT_TRUE(next.start(configuration, true));
    EXPECT_EQ(kernel.changes, changes);
    EXPECT_EQ(kernel.loads, loads);
    define("web", "new");
    ASSERT_TRUE(next.configure(configuration));
    EXPECT_EQ(kernel.changes, changes + 1);
}

TEST_F(DefinitionsTest, AProgramThatSomebodyElsePinnedIsTaken) {
    start("web.service", 1);
    configuration.filters.add("theirs",
                              {ConfigText{"/etc/theirs.filter", "[Filter]\nPinned=/sys/fs/bpf/x\n"}, {}});
    rule("web.service", "theirs");
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("HOLD"));
    EXPECT_THAT(firewall.definitionErrors(),
                ElementsAre(StartsWith("/etc/theirs.filter:2: open pin /sys/fs/bpf/x")));
    kernel.foreign["/sys/fs/bpf/x"] = 42;
    apply();
    EXPECT_THAT(ingress(1), ElementsAre("theirs"));
    EXPECT_EQ(firewall.filters().at(filterName("theirs")).programId, 42U);
    kernel.foreign["/sys/fs/bpf/x"] = 43; // they pinned another one
    apply();
    EXPECT_EQ(firewall.filters().at(filterName("theirs")).programId, 43U);
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
    EXPECT_EQ(firewall.ensureUnit("web").error().code, ErrorCode::InvalidName);
    EXPECT_EQ(firewall.ensureUnit("web.service").error().code, ErrorCode::NoSuchUnit);
    tree.add("web.service", 1); // nobody told us yet
    EXPECT_TRUE(firewall.ensureUnit("web.service"));
    EXPECT_THAT(ingress(1), ElementsAre("web"));
    start("other.service", 2);
    EXPECT_EQ(firewall.ensureUnit("other.service").error().code, ErrorCode::NoSuchRule);
    start("held.service", 3);
    EXPECT_THAT(firewall.ensureUnit("held.service").error().message,
                HasSubstr("'held.service' is held: no filter"));
    ASSERT_TRUE(firewall.setEnforcing(false));
    EXPECT_TRUE(firewall.ensureUnit("held.service")); // I8
}

class ConfiguratorTest : public DefinitionsTest {
  protected:
    // The reader gives what the test put together; `last` is what it was given.
    Configurator configurator(Firewall& over) {
        return {[this](const Configuration& before) {
                    last = before;
                    return configuration;
                },
                [this] { return runningUnits; }, kept, over, expressions};
    }

    test::FakeStore kept;
    test::FakeExpressions expressions;
    Configuration last;
    RunningUnits runningUnits;
};

TEST_F(ConfiguratorTest, WarningsAreOfFilesAndOfWhatIsSetOnTheBus) {
    define("web", "w");
    rule("web.service", "web");
    rule("wbe.service", "web");
    configuration.units.known.ofSystem = {"web.service"};
    test::RecordingPublisher seen;
    Firewall own(kernel, tree, store, seen);
    auto running = configurator(own);
    own.onRulesSet([&](const std::string& target) { running.rulesChanged(target); });
    ASSERT_TRUE(running.start(true));
    EXPECT_THAT(
        running.warnings(),
        ElementsAre(HasSubstr("'wbe.service' covers no unit that systemd knows; did you mean web.service?")));
    Rule set{
        .source = "", .targets = {"ngnix.service"}, .ingress = {*FilterName::parse("web")}, .egress = {}};
    ASSERT_TRUE(own.setQueue(set, {}));
    EXPECT_THAT(running.warnings(), testing::Contains(HasSubstr("bus: 'ngnix.service' covers no unit")));
    ASSERT_TRUE(own.resetQueue("ngnix.service"));
    EXPECT_EQ(running.warnings().size(), 1U);
    runningUnits.units = {"wbe.service"};
    ASSERT_TRUE(running.reload());
    EXPECT_THAT(running.warnings(), testing::IsEmpty());
}

TEST_F(ConfiguratorTest, WarningsFollowTheUnitsThatRun) {
    define("web", "w");
    rule("late.service", "web");
    configuration.units.known.ofSystem = {"web.service"};
    test::RecordingPublisher seen;
    Firewall own(kernel, tree, store, seen);
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true));
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
    test::RecordingPublisher seen;
    Firewall own(kernel, tree, store, seen);
    auto running = configurator(own);
    own.onRulesSet([&](const std::string& target) { running.rulesChanged(target); });
    ASSERT_TRUE(running.start(true));
    const Rule set{
        .source = "", .targets = {"ngnix.service"}, .ingress = {*FilterName::parse("web")}, .egress = {}};
    for (int i = 0; i < 2; ++i) {
        testing::internal::CaptureStderr();
        ASSERT_TRUE(own.setQueue(set, {}));
        static_cast<void>(running.warnings());
        static_cast<void>(running.warnings());
        const auto told = testing::internal::GetCapturedStderr();
        const auto first = told.find("bus: 'ngnix.service' covers no unit");
        EXPECT_NE(first, std::string::npos) << told;
        EXPECT_EQ(told.find("bus: 'ngnix.service' covers no unit", first + 1), std::string::npos) << told;
        EXPECT_EQ(told.find("'wbe.service' covers no unit"), std::string::npos) << told;
        ASSERT_TRUE(own.resetQueue("ngnix.service")); // and nobody looks before it is set again
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
    test::RecordingPublisher seen;
    Firewall first(kernel, tree, store, seen);
    auto running = configurator(first);
    ASSERT_TRUE(running.start(true));
    EXPECT_THAT(running.errors(), ElementsAre("/etc/broken.queue:1: typo"));

    Firewall second(kernel, tree, store, seen);
    ASSERT_TRUE(configurator(second).start(true));
    EXPECT_EQ(last.filters, configuration.filters);
    ASSERT_EQ(last.rules.size(), 1U);
    EXPECT_EQ(last.rules.front(), configuration.rules.front());
}

TEST_F(ConfiguratorTest, AReloadNamesEveryFaultAndAppliesTheRest) {
    test::RecordingPublisher seen;
    Firewall own(kernel, tree, store, seen);
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true));
    start("web.service", 1);
    own.cgroupAppeared(tree.present.front());
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
    test::RecordingPublisher seen;
    Firewall own(kernel, tree, store, seen);
    auto made = std::make_unique<test::FakeGuard>();
    auto* guard = made.get();
    own.useGuard(std::move(made), {});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true));
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
    test::RecordingPublisher seen;
    Firewall own(kernel, tree, store, seen);
    own.useGuard(nullptr, {.btf = false, .reason = "no types"});
    auto running = configurator(own);
    ASSERT_TRUE(running.start(true));
    start("web.service", 1);
    own.cgroupAppeared(tree.present.front());
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
        test::RecordingPublisher seen;
        Firewall own(kernel, tree, store, seen);
        EXPECT_TRUE(configurator(own).start(true)) << text;
        EXPECT_EQ(last, Configuration{}) << text;
    }
}

} // namespace
} // namespace filterd
