// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/idle_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Rule idleRule(const std::string& source, std::vector<std::string> targets, const char* filter = "drop") {
    Rule made;
    made.source = source;
    made.targets = std::move(targets);
    if (*filter != '\0')
        made.egress = {*FilterName::parse(filter)};
    return made;
}

std::vector<std::string> warnings(const std::vector<Rule>& files) {
    Rules rules;
    EXPECT_TRUE(rules.setFiles(files));
    return idleRuleWarnings(rules);
}

TEST(IdleRules, AreThoseBehindOthersThatCoverAllTheyName) {
    for (const auto& earlier : {idleRule("/a.queue", {"web.service"}), idleRule("/a.queue", {"we?.service"}),
                                idleRule("/a.service.d/x.conf", {"x.service", "web.service"})})
        EXPECT_THAT(
            warnings({earlier, idleRule("/b.queue", {"web.service"})}),
            ElementsAre(AllOf(StartsWith("/b.queue: it applies to no unit"), HasSubstr(earlier.source))))
            << earlier.source;
    EXPECT_THAT(warnings({idleRule("/a.queue", {"web@*.service"}), idleRule("/b.queue", {"web@*.service"})}),
                ElementsAre(StartsWith("/b.queue: it applies to no unit")));
    EXPECT_THAT(warnings({idleRule("/a.queue", {"/system.slice/web.service"}),
                          idleRule("/b.queue", {"web.service"})}),
                ElementsAre(StartsWith("/b.queue: it applies to no unit")));
    EXPECT_THAT(warnings({idleRule("/a.queue", {"/x"}), idleRule("/b.queue", {"/x"})}),
                ElementsAre(StartsWith("/b.queue: it applies to no unit")));
}

TEST(IdleRules, AreNotThoseWithAUnitOfTheirOwn) {
    EXPECT_THAT(warnings({idleRule("/a.queue", {"web.service"}),
                          idleRule("/b.queue", {"web.service", "api.service"})}),
                IsEmpty());
    EXPECT_THAT(warnings({idleRule("/a.queue", {"web.service"}), idleRule("/b.queue", {"*.service"})}),
                IsEmpty());
    EXPECT_THAT(
        warnings({idleRule("/a.queue", {"*"}), idleRule("/b.queue", {"user@1000.service/web.service"})}),
        IsEmpty());
}

// The bus is there to try something else for a while.
TEST(IdleRules, AreNotThoseBehindWhatIsSetOnTheBus) {
    Rules rules;
    ASSERT_TRUE(rules.setFiles({idleRule("/a.queue", {"web.service"})}));
    ASSERT_TRUE(rules.set(idleRule("bus", {"web.service"})));
    EXPECT_THAT(idleRuleWarnings(rules), IsEmpty());
}

TEST(IdleRules, AreThoseWithoutFiltersWhereverTheyStand) {
    for (const char* source : {"/a.queue", "/web.service.d/x.conf"})
        EXPECT_THAT(warnings({idleRule(source, {"web.service"}, "")}),
                    ElementsAre(AllOf(StartsWith(std::string(source) + ": it names no filter"),
                                      HasSubstr("builtin:pass"))));
}

} // namespace
} // namespace filterd
