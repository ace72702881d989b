// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/rules/rules.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

Rule rule(const std::string& source, std::vector<std::string> targets) {
    return {source, std::move(targets), {*FilterName::parse("f")}, {}, OnFailure::Hold, Fallback::Allow};
}

std::string sourceFor(const Rules& rules, const std::string& unit) {
    const auto* found = rules.match({unit, "/system.slice/" + unit});
    return found == nullptr ? "" : found->source + ":" + found->targets.front();
}

TEST(Rules, TheBusIsAboveFilesAndAnExactNameAboveAPathAboveAGlob) {
    Rules rules;
    ASSERT_TRUE(rules.setFiles(
        {rule("10-web.queue", {"web@*.service", "web.service"}), rule("20-all.queue", {"*"})}));
    EXPECT_EQ(sourceFor(rules, "web.service"), "10-web.queue:web@*.service");
    EXPECT_EQ(sourceFor(rules, "db.service"), "20-all.queue:*");
    ASSERT_TRUE(rules.set(rule("bus", {"web*"})));
    EXPECT_EQ(sourceFor(rules, "web.service"), "bus:web*");
    ASSERT_TRUE(rules.set(rule("bus", {"/system.slice/web.service"})));
    EXPECT_EQ(sourceFor(rules, "web.service"), "bus:/system.slice/web.service");
    ASSERT_TRUE(rules.set(rule("bus", {"web.service"})));
    EXPECT_EQ(sourceFor(rules, "web.service"), "bus:web.service");
    EXPECT_TRUE(rules.reset("web.service"));
    EXPECT_TRUE(rules.reset("/system.slice/web.service"));
    EXPECT_TRUE(rules.reset("web*"));
    EXPECT_FALSE(rules.reset("web*"));
    EXPECT_EQ(sourceFor(rules, "web.service"), "10-web.queue:web@*.service");
}

TEST(Rules, TheFirstFileThatMatchesWinsAndNothingIsMerged) {
    Rules rules;
    ASSERT_TRUE(rules.setFiles({rule("b.queue", {"x.service"}), rule("a.queue", {"x.service"})}));
    EXPECT_EQ(sourceFor(rules, "x.service"), "b.queue:x.service"); // the order given is the order tried
}

TEST(Rules, OfTheSystemsUnitsMeanNoUsersUnitsAndTheOtherWayRound) {
    Rules rules;
    ASSERT_TRUE(
        rules.setFiles({rule("a.queue", {"*.service"}), rule("b.queue", {"user@*.service/*.service"})}));
    EXPECT_EQ(sourceFor(rules, "app.service"), "a.queue:*.service");
    EXPECT_EQ(sourceFor(rules, "user@1000.service"), "a.queue:*.service");
    EXPECT_EQ(sourceFor(rules, "user@1000.service/app.service"), "b.queue:user@*.service/*.service");
    ASSERT_TRUE(rules.set(rule("bus", {"user@1000.service/app.service"})));
    EXPECT_EQ(sourceFor(rules, "user@1000.service/app.service"), "bus:user@1000.service/app.service");
    EXPECT_EQ(sourceFor(rules, "user@1001.service/app.service"), "b.queue:user@*.service/*.service");
    EXPECT_EQ(sourceFor(rules, "app.service"), "a.queue:*.service");
}

constexpr const char* kApp = "user@1000.service/app.service";

Rule ofUser(const std::string& unit, const std::string& filter, uid_t user = 1000) {
    Rule rule{std::string(kUserSource), {unit}, {*FilterName::parse(filter)}, {}, OnFailure::Hold};
    rule.setBy = user;
    return rule;
}

TEST(Rules, OfAUserAddToWhatCoversHisUnitWhateverChanges) {
    Rules rules;
    ASSERT_TRUE(rules.set(ofUser(kApp, "own")));
    const auto ingress = [&] { return textsOf(rules.match({kApp, "/anywhere"})->ingress); };
    using Names = std::vector<std::string>;
    EXPECT_EQ(ingress(), Names{"own"});
    ASSERT_TRUE(rules.setFiles({rule("a.queue", {"user@*.service/*"})}));
    EXPECT_EQ(ingress(), (Names{"f", "own"}));
    auto exact = rule("bus", {kApp});
    exact.ingress = {*FilterName::parse("g")};
    exact.egress = {*FilterName::parse("h")};
    ASSERT_TRUE(rules.set(exact));
    EXPECT_EQ(ingress(), (Names{"g", "own"}));
    EXPECT_EQ(textsOf(rules.match({kApp, ""})->egress), Names{"h"});
    EXPECT_TRUE(rules.reset(kApp));
    EXPECT_EQ(ingress(), (Names{"f", "own"}));
    ASSERT_TRUE(rules.setFiles({}));
    ASSERT_TRUE(
        rules.set(rule("bus", {"/user.slice/user-1000.slice/user@1000.service/app.slice/app.service"})));
    EXPECT_EQ(ingress(), (Names{"f", "own"}));
    EXPECT_EQ(rules.busRules().front(), ofUser(kApp, "own")) << "kept as it was set";
    EXPECT_FALSE(rules.resetOfUser("user@1000.service/other.service"));
    EXPECT_TRUE(rules.resetOfUser(kApp));
    EXPECT_EQ(rules.match({kApp, "/anywhere"}), nullptr);
}

TEST(Rules, OfAUserLetNothingPassThatTheAdministratorsHolds) {
    Rules rules;
    auto broken = rule("a.queue", {"user@*.service/*"});
    broken.broken = "a.queue:1: nonsense";
    broken.onFailure = OnFailure::Pass;
    ASSERT_TRUE(rules.setFiles({broken}));
    ASSERT_TRUE(rules.set(ofUser(kApp, "own")));
    const auto* combined = rules.match({kApp, ""});
    EXPECT_EQ(combined->broken, broken.broken);
    EXPECT_EQ(combined->onFailure, OnFailure::Hold);
}

TEST(Rules, SetByOthersThanRootAreLimited) {
    Rules rules;
    for (std::size_t i = 0; i < kMaxRulesOfUser; ++i)
        ASSERT_TRUE(rules.set(ofUser("user@1000.service/" + std::to_string(i) + ".service", "own")));
    EXPECT_EQ(rules.set(ofUser(kApp, "own")).error().code, ErrorCode::LimitExceeded);
    EXPECT_TRUE(rules.set(ofUser("user@1000.service/0.service", "other"))) << "in place of an earlier one";
    uid_t user = 1001;
    for (std::size_t i = kMaxRulesOfUser; i < kMaxRulesOfUsers; ++i) {
        user += i % kMaxRulesOfUser == 0 ? 1 : 0;
        ASSERT_TRUE(rules.set(ofUser("user@1.service/" + std::to_string(i) + ".service", "own", user)));
    }
    EXPECT_EQ(rules.set(ofUser(kApp, "own", 5000)).error().code, ErrorCode::LimitExceeded);
    for (std::size_t i = 0; i <= kMaxRulesSetByUser; ++i) {
        auto one = rule("bus", {std::to_string(i) + ".service"});
        one.setBy = 1000;
        EXPECT_EQ(rules.set(one).has_value(), i < kMaxRulesSetByUser);
        one.targets = {"root-" + one.targets.front()};
        one.setBy = 0;
        EXPECT_TRUE(rules.set(one));
    }
}

TEST(Rules, APathStandsForTheUnitOfTheManagerThere) {
    Rules rules;
    ASSERT_TRUE(
        rules.set(rule("bus", {"/user.slice/user-1000.slice/user@1000.service/app.slice/a.service"})));
    ASSERT_TRUE(rules.set(rule("bus", {"/system.slice/a.service/b.service"})));
    ASSERT_EQ(rules.names().size(), 1U);
    EXPECT_EQ(rules.names().front().second->text(), "user@1000.service/a.service");
}

TEST(Rules, ListThemselvesInTheOrderTried) {
    Rules rules;
    ASSERT_TRUE(rules.setFiles({rule("z.queue", {"*"})}));
    for (const auto* target : {"b*", "a*", "/x", "n.service"})
        ASSERT_TRUE(rules.set(rule("bus", {target})));
    std::vector<std::string> order;
    for (const auto* one : rules.ordered())
        order.push_back(one->targets.front());
    EXPECT_EQ(order, (std::vector<std::string>{"n.service", "/x", "a*", "b*", "*"}));
}

TEST(Rules, CoverAUnitInTheirOrder) {
    Rules rules;
    ASSERT_TRUE(rules.setFiles({rule("a.queue", {"/y", "x.service", "web@*.service"}),
                                rule("b.queue", {"web@1.service"}), rule("c.queue", {"/x"}),
                                rule("d.queue", {"/system.slice/web@1.service"}),
                                rule("e.queue", {"user@*.service/web@1.service"}), rule("f.queue", {"/"})}));
    ASSERT_TRUE(rules.set(rule("bus", {"db.service"})));
    const auto covering = rules.covering("web@1.service");
    ASSERT_EQ(covering.size(), 3U);
    EXPECT_EQ(covering[0].rule->source, "a.queue");
    EXPECT_EQ(covering[0].target, "web@*.service");
    EXPECT_EQ(covering[1].rule->source, "b.queue");
    EXPECT_EQ(covering[2].target, "/system.slice/web@1.service");
    ASSERT_EQ(rules.covering("/x").size(), 1U);
    EXPECT_EQ(rules.covering("/x")[0].rule->source, "c.queue");
    EXPECT_EQ(rules.covering("-.slice").at(0).rule->source, "f.queue");
    EXPECT_EQ(rules.covering("user@7.service/web@1.service").at(0).rule->source, "e.queue");
    EXPECT_EQ(rules.covering("db.service").at(0).rule->source, "bus");
    EXPECT_TRUE(rules.covering("none.service").empty());
    EXPECT_TRUE(rules.covering("").empty());
}

TEST(Rules, ABadPatternChangesNothing) {
    Rules rules;
    ASSERT_TRUE(rules.setFiles({rule("a.queue", {"x.service"})}));
    EXPECT_FALSE(rules.setFiles({rule("b.queue", {"y.service"}), rule("c.queue", {"no suffix"})}));
    EXPECT_EQ(sourceFor(rules, "x.service"), "a.queue:x.service");
    EXPECT_FALSE(rules.set(rule("bus", {"[.service"})));
}

TEST(Rules, AnExactNameWithABackslashMatchesItself) {
    Rules rules;
    ASSERT_TRUE(rules.set(rule("bus", {"dev-disk\\x2da.mount"})));
    EXPECT_EQ(sourceFor(rules, "dev-disk\\x2da.mount"), "bus:dev-disk\\x2da.mount");
}

} // namespace
} // namespace filterd
