// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/unit_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class UnitRulesTest : public testing::Test {
  protected:
    void fragment(const std::string& name, const std::string& section = "") {
        files.fragments[name] = {"/lib/" + name, "[Unit]\nwhat ever\n" + text(section)};
    }
    void dropIn(const std::string& directory, const std::string& file, const std::string& section,
                std::size_t rank = 0) {
        const auto path = "/" + std::to_string(rank) + "/" + directory + ".d/" + file;
        files.dropIns[directory].push_back({file, rank, ConfigText{path, text(section)}});
    }
    void mask(const std::string& directory, const std::string& file, std::size_t rank = 0) {
        files.dropIns[directory].push_back({file, rank, std::nullopt});
    }

    // "TARGET: INGRESS… < SOURCE" of each rule.
    std::vector<std::string> rules(const std::vector<Rule>& last = {}) {
        read = unitRules(files, last);
        std::vector<std::string> lines;
        for (const auto& rule : read.rules) {
            lines.push_back(rule.targets.front() + ":");
            for (const auto& filter : rule.ingress)
                lines.back() += " " + filter.text();
            lines.back() += " < " + rule.source;
        }
        return lines;
    }

    static std::string text(const std::string& section) {
        return section.empty() ? "" : "[X-Filterd]\n" + section + "\n";
    }

    UnitFiles files;
    UnitRules read;
};

TEST_F(UnitRulesTest, AUnitFileAndItsDropInsBecomeOneRule) {
    fragment("web.service", "IngressFilter=a\nOnFailure=pass");
    fragment("other.service");
    dropIn("web.service", "50.conf", "IngressFilter=b\nEgressFilter=c");
    EXPECT_THAT(rules(), ElementsAre("web.service: a b < /lib/web.service"));
    EXPECT_EQ(read.rules.front().egress.size(), 1U);
    EXPECT_EQ(read.rules.front().onFailure, OnFailure::Pass);
    EXPECT_THAT(read.errors, IsEmpty());
}

TEST_F(UnitRulesTest, DropInsApplyByTheirNamesAndTheHighestOfANameWins) {
    dropIn("web.service", "10.conf", "IngressFilter=low", 5);
    dropIn("web.service", "10.conf", "IngressFilter=high", 1);
    dropIn("web.service", "05.conf", "IngressFilter=first", 9);
    dropIn("web.service", "20.conf", "IngressFilter=masked", 2);
    mask("web.service", "20.conf", 0);
    EXPECT_THAT(rules(), ElementsAre("web.service: first high < /9/web.service.d/05.conf"));
}

TEST_F(UnitRulesTest, AnEmptyAssignmentExemptsAUnitFromLowerRules) {
    fragment("web.service", "IngressFilter=a");
    dropIn("web.service", "x.conf", "IngressFilter=");
    EXPECT_THAT(rules(), ElementsAre("web.service: < /lib/web.service"));
    dropIn("none.service", "x.conf", "X-Note=not a rule");
    EXPECT_THAT(rules(), SizeIs(1));
}

TEST_F(UnitRulesTest, AnEmptySectionIsToldOfUnlessAnotherFileOfTheUnitSaysSomething) {
    files.fragments["empty.service"] = {"/lib/empty.service",
                                        "[Unit]\nwhat ever\n\n[X-Filterd]\n# IngressFilter=a\n"};
    dropIn("note.service", "x.conf", "X-Note=not a rule");
    dropIn("service", "all.conf", "# nothing");
    fragment("web.service", "# below");
    dropIn("web.service", "50.conf", "IngressFilter=b");
    fragment("reset.service", "IngressFilter=");
    EXPECT_THAT(rules(), testing::UnorderedElementsAre("web.service: b < /0/web.service.d/50.conf",
                                                       "reset.service: < /lib/reset.service"));
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_THAT(read.warnings, testing::UnorderedElementsAre(
                                   StartsWith("/lib/empty.service:4: [X-Filterd] is empty, "),
                                   StartsWith("/0/note.service.d/x.conf:1: [X-Filterd] is empty, "),
                                   StartsWith("/0/service.d/all.conf:1: [X-Filterd] is empty, ")));
}

TEST_F(UnitRulesTest, TemplatesPrefixesAndTypesAreGlobsBehindTheMoreSpecific) {
    fragment("web@.service", "IngressFilter=template");
    dropIn("web@1.service", "x.conf", "IngressFilter=one");
    dropIn("service", "a.conf", "IngressFilter=every");
    dropIn("a-.service", "b.conf", "IngressFilter=app");
    EXPECT_THAT(rules(), ElementsAre("web@1.service: template every one < /lib/web@.service",
                                     "web@*.service: template every < /lib/web@.service",
                                     "a-*.service: every app < /0/service.d/a.conf",
                                     "*.service: every < /0/service.d/a.conf"));
}

TEST_F(UnitRulesTest, AMoreSpecificDropInReplacesOneOfTheSameName) {
    dropIn("service", "x.conf", "IngressFilter=type", 0);
    dropIn("a-.service", "x.conf", "IngressFilter=prefix", 7);
    EXPECT_THAT(rules(), ElementsAre("a-*.service: prefix < /7/a-.service.d/x.conf",
                                     "*.service: type < /0/service.d/x.conf"));
}

TEST_F(UnitRulesTest, AnAliasIsTheUnitThatItNames) {
    fragment("real.service");
    files.relations.aliases["alias.service"] = "real.service";
    dropIn("alias.service", "x.conf", "IngressFilter=a");
    EXPECT_THAT(rules(), ElementsAre("real.service: a < /0/alias.service.d/x.conf"));
}

TEST_F(UnitRulesTest, AMaskedUnitHasNoRule) {
    dropIn("web.service", "x.conf", "IngressFilter=a");
    files.masked = {"web.service"};
    EXPECT_THAT(rules(), IsEmpty());
}

TEST_F(UnitRulesTest, ABackslashInATemplatesNameIsNoEscape) {
    fragment("a\\x2db@.service", "IngressFilter=a");
    EXPECT_THAT(rules(), ElementsAre("a\\x2db@*.service: a < /lib/a\\x2db@.service"));
}

TEST_F(UnitRulesTest, OfUsersManagersEveryNameIsAGlobOverThem) {
    files.manager = kUserManagers;
    fragment("a\\x2db.service", "IngressFilter=a");
    dropIn("web@.service", "x.conf", "IngressFilter=web");
    dropIn("service", "y.conf", "IngressFilter=every");
    EXPECT_THAT(rules(), ElementsAre("user@*.service/a\\x2db.service: a every < /lib/a\\x2db.service",
                                     "user@*.service/web@*.service: web every < /0/web@.service.d/x.conf",
                                     "user@*.service/*.service: every < /0/service.d/y.conf"));
}

TEST_F(UnitRulesTest, WhatIsBrokenKeepsItsRuleAndIsToldOnce) {
    dropIn("service", "x.conf", "IngressFilter=every");
    dropIn("web.service", "y.conf", "IngressFilter=web");
    ASSERT_THAT(rules(), SizeIs(2));
    const auto last = read.rules;
    files.dropIns.at("service").front().text->text = "[X-Filterd]\nIngresFilter=typo\nOnFailure=pass\n";
    EXPECT_THAT(rules(last), SizeIs(2));
    EXPECT_EQ(read.rules, last);
    ASSERT_THAT(read.errors, SizeIs(1));
    EXPECT_THAT(read.errors.front().message, StartsWith("/0/service.d/x.conf:2: unknown key IngresFilter="));

    EXPECT_THAT(rules(), SizeIs(2)); // at boot: what OnFailure says
    for (const auto& rule : read.rules) {
        EXPECT_THAT(rule.broken, StartsWith("/0/service.d/x.conf:2: "));
        EXPECT_EQ(rule.onFailure, OnFailure::Pass);
    }
}

TEST_F(UnitRulesTest, TenThousandUnitsAreReadInNoTime) {
    for (int i = 0; i < 10'000; ++i)
        dropIn("web-" + std::to_string(i) + ".service", "x.conf", "IngressFilter=a");
    dropIn("service", "every.conf", "IngressFilter=every");
    const auto begin = std::clock(); // of this process: others may keep the machine busy
    EXPECT_THAT(rules(), SizeIs(10'001));
    EXPECT_LT(std::clock() - begin, 5 * CLOCKS_PER_SEC); // a quadratic reader takes minutes
}

TEST_F(UnitRulesTest, PrefixesTemplatesAndInstancesApplyTogether) {
    dropIn("foo-.service", "1.conf", "IngressFilter=prefix");
    dropIn("foo-bar@.service", "2.conf", "IngressFilter=template");
    dropIn("foo-@1.service", "3.conf", "IngressFilter=one");
    EXPECT_THAT(rules(), ElementsAre("foo-bar@1.service: prefix template one < /0/foo-.service.d/1.conf",
                                     "foo-bar@*.service: prefix template < /0/foo-.service.d/1.conf",
                                     "foo-*@1.service: prefix one < /0/foo-.service.d/1.conf",
                                     "foo-*.service: prefix < /0/foo-.service.d/1.conf"));
}

TEST_F(UnitRulesTest, WhatIsSaidOfAnAliasOrOfItsPrefixIsSaidOfTheUnit) {
    fragment("web@.service");
    files.relations.aliases = {{"w-x@.service", "web@.service"}, {"old.service", "new.service"}};
    fragment("new.service");
    dropIn("w-.service", "1.conf", "IngressFilter=prefix");
    dropIn("w-x@7.service", "2.conf", "IngressFilter=seven");
    dropIn("old.service", "3.conf", "IngressFilter=old");
    EXPECT_THAT(rules(), ElementsAre("new.service: old < /0/old.service.d/3.conf",
                                     "web@7.service: prefix seven < /0/w-.service.d/1.conf",
                                     "web@*.service: prefix < /0/w-.service.d/1.conf",
                                     "w-*.service: prefix < /0/w-.service.d/1.conf"));
}

TEST_F(UnitRulesTest, AFileThatCannotBeReadHoldsItsUnitUnlessItHadARule) {
    dropIn("web.service", "x.conf", "IngressFilter=web");
    dropIn("lost.service", "x.conf", "IngressFilter=lost");
    dropIn("service", "x.conf", "IngressFilter=every");
    ASSERT_THAT(rules(), SizeIs(3));
    const auto last = read.rules;
    const auto lose = [&](const std::string& path, bool isMissing) {
        files.unreadable[path] = {{ErrorCode::BadConfiguration, path + ": cannot be read"}, isMissing};
    };
    files.dropIns.at("service").front().file = "y.conf"; // no more hidden by the other two
    files.dropIns.at("web.service").front().text->text.clear();
    lose("/0/web.service.d/x.conf", false);
    files.dropIns.at("lost.service").front().text->text.clear();
    lose("/0/lost.service.d/x.conf", true);

    EXPECT_THAT(rules(), ElementsAre("lost.service: every < /0/service.d/x.conf",
                                     "web.service: every < /0/web.service.d/x.conf",
                                     "*.service: every < /0/service.d/x.conf"));
    EXPECT_THAT(read.rules[1].broken, StartsWith("/0/web.service.d/x.conf: "));
    ASSERT_THAT(read.errors, SizeIs(2));
    EXPECT_FALSE(read.errors[0].isHeld) << "a link that leads nowhere systemd does not read either";
    EXPECT_TRUE(read.errors[1].isHeld);

    (void)rules(last);
    EXPECT_EQ(read.rules, last);
    ASSERT_THAT(read.errors, SizeIs(2));
    EXPECT_TRUE(read.errors[0].isSurvived && read.errors[1].isSurvived);
}

TEST_F(UnitRulesTest, WhatCannotBeReadOfAWholeTypeStopsNoUnit) {
    dropIn("service", "x.conf", "");
    files.unreadable["/0/service.d/x.conf"] = {{ErrorCode::BadConfiguration, "/0/service.d/x.conf: lost"}};
    EXPECT_THAT(rules(), IsEmpty());
    ASSERT_THAT(read.errors, SizeIs(1));
    EXPECT_FALSE(read.errors.front().isHeld || read.errors.front().isSurvived);
}

} // namespace
} // namespace filterd
