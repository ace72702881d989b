#include "core/configuration_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Rule rule(const std::string& source, const std::string& target, const std::string& filter) {
    return {.source = source, .targets = {target}, .ingress = {*FilterName::parse(filter)}, .egress = {}};
}

class ConfigurationCheckTest : public testing::Test {
  protected:
    ConfigurationCheckTest() {
        configuration.filters.add(
            "port@", {ConfigText{"/etc/filterd/port@.filter", "[Filter]\nObject=/%p-%i.o\n"}, {}});
    }

    CheckReport check() {
        return checkConfiguration(configuration,
                                  [](const std::string& path) { return path == "/port-443.o"; });
    }

    Configuration configuration;
};

TEST_F(ConfigurationCheckTest, FindsNothingWhereAllIsWell) {
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@443")};
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings, IsEmpty());
}

TEST_F(ConfigurationCheckTest, KnowsTheBuiltInFilters) {
    configuration.filters.add("own@",
                              {ConfigText{"/etc/filterd/own@.filter", "[Filter]\nObject=builtin:%i\n"}, {}});
    configuration.rules = {rule("/etc/a.queue", "web.service", "own@mtu"),
                           rule("/etc/b.queue", "db.service", "own@none")};
    EXPECT_THAT(check().errors,
                ElementsAre(AllOf(HasSubstr("own@.filter:2"), HasSubstr("built-in filter none"))));
}

TEST_F(ConfigurationCheckTest, NamesMissingObjectsAndUndefinedFilters) {
    configuration.errors = {"/etc/b.queue:3: typo"};
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@80"),
                           rule("/etc/c.queue", "db.service", "none"),
                           rule("/etc/d.queue", "x.service", "port@80")};
    EXPECT_THAT(check().errors, ElementsAre("/etc/b.queue:3: typo",
                                            "/etc/filterd/port@.filter:2: there is no file /port-80.o"));
    EXPECT_THAT(check().warnings, ElementsAre(StartsWith("/etc/c.queue: no file defines the filter 'none'")));
}

TEST_F(ConfigurationCheckTest, WarnsOnlyOfWhatAnUnusedFilterLacks) {
    configuration.filters.add("idle",
                              {ConfigText{"/etc/filterd/idle.filter", "[Filter]\nObject=/nope.o\n"}, {}});
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings, ElementsAre(AllOf(HasSubstr("idle.filter:2: there is no file /nope.o"),
                                                    HasSubstr("nothing uses"))));
    configuration.filters.add(
        "idle", {ConfigText{"/etc/filterd/idle.filter", "[Filter]\nObject=/nope.o\nLoad=yes\n"}, {}});
    EXPECT_THAT(check().errors, ElementsAre(HasSubstr("there is no file /nope.o")));
}

TEST_F(ConfigurationCheckTest, WarnsWhereARuleCoversTheAdministratorsWayIn) {
    for (const auto* target :
         {"sshd.service", "ssh.service", "s*.service", "sshd@*.service", "system.slice", "*"}) {
        configuration.rules = {rule("/etc/a.queue", target, "port@443")};
        EXPECT_THAT(check().warnings, ElementsAre(HasSubstr("lock you out"))) << target;
    }
    configuration.rules.front().ingress.clear(); // no queue, no lock
    EXPECT_THAT(check().warnings, IsEmpty());
    configuration.rules = {rule("/etc/a.queue", "web-sshd.service", "port@443"),
                           rule("/etc/a.queue", "/system.slice", "port@443")};
    EXPECT_THAT(check().warnings, IsEmpty());
}

TEST(RulesCovering, AreThoseThatMatchInTheirOrder) {
    const std::vector<Rule> rules{rule("bus", "db.service", "a"), rule("/etc/a.queue", "web@*.service", "a"),
                                  rule("/etc/b.queue", "web@1.service", "a"),
                                  rule("/etc/c.queue", "/x", "a")};
    const auto covering = rulesCovering("web@1.service", rules);
    ASSERT_EQ(covering.size(), 2U);
    EXPECT_EQ(covering[0].rule->source, "/etc/a.queue");
    EXPECT_EQ(covering[0].target, "web@*.service");
    EXPECT_EQ(covering[1].rule->source, "/etc/b.queue");
    EXPECT_TRUE(rulesCovering("none.service", rules).empty());
}

} // namespace
} // namespace filterd
