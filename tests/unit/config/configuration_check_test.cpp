// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/configuration_check.hpp"
#include "tests/shared/fake_expressions.hpp"

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

ObjectOutline outlineOf(FilterDirection direction, bool both = false,
                        std::vector<std::string> forgotten = {}) {
    return {direction, both, std::move(forgotten)};
}

class ConfigurationCheckTest : public testing::Test {
  protected:
    ConfigurationCheckTest() {
        configuration.filters.add(
            "port@", {ConfigText{"/etc/filterd/port@.filter", "[Filter]\nObject=/%p-%i.o\n"}, {}});
    }

    CheckReport check() {
        return checkConfiguration(
            configuration,
            [&](const FilterDefinition& definition) {
                const auto known = objects.find(definition.object);
                return known == objects.end()
                           ? Result<ObjectOutline>(failure(systemError("open " + definition.object, ENOENT)))
                           : known->second;
            },
            RunningUnitsOnDemand([this] { return running; }), notes);
    }

    Configuration configuration;
    RunningUnits running;
    test::FakeExpressions expressions;
    packet::CompiledRuleNotes notes{expressions};
    std::map<std::string, Result<ObjectOutline>> objects{{"/port-443.o", ObjectOutline{}}};
};

TEST_F(ConfigurationCheckTest, FindsNothingWhereAllIsWell) {
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@443")};
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings, IsEmpty());
}

TEST_F(ConfigurationCheckTest, NamesTheLineOfAParameterOrOfARule) {
    configuration.filters.add("own", {ConfigText{"/etc/own.filter", "[Filter]\nObject=/own.o\n[Parameters]\n"
                                                                    "good=1\nbad=2\nbad=3\n"},
                                      {}});
    configuration.filters.add(
        "said", {ConfigText{"/etc/said.filter", "[Filter]\nRule=allow tcp\nRule=allow nonsense\n"}, {}});
    objects.insert_or_assign("/own.o", failure(Error{ErrorCode::InvalidArgument, "no value", "bad"}));
    objects.insert_or_assign("", failure(Error{ErrorCode::InvalidArgument, "no rule", "2"}));
    configuration.rules = {rule("/etc/a.queue", "web.service", "own"),
                           rule("/etc/b.queue", "db.service", "said")};
    EXPECT_THAT(check().errors, ElementsAre("/etc/own.filter:6: no value", "/etc/said.filter:3: no rule"));
}

TEST_F(ConfigurationCheckTest, NamesFiltersThatStandInOneQueueAndNeedBoth) {
    objects.insert_or_assign("/port-443.o", outlineOf(FilterDirection::Either, true));
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@443")};
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings, ElementsAre(AllOf(StartsWith("/etc/a.queue: the filter 'port@443'"),
                                                    HasSubstr("add EgressFilter=port@443"))));
    configuration.rules.front().egress = configuration.rules.front().ingress;
    EXPECT_THAT(check().warnings, IsEmpty());
}

TEST_F(ConfigurationCheckTest, SaysWhatAReloadForgets) {
    objects.insert_or_assign("/port-443.o", outlineOf(FilterDirection::Either, false,
                                                      {"'flows' (its entries have another layout)"}));
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@443")};
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings,
                ElementsAre(AllOf(StartsWith("/etc/filterd/port@.filter:2: filter 'port@443'"),
                                  HasSubstr("'flows' (its entries"))));
}

TEST_F(ConfigurationCheckTest, WhateverIsWrongWithAFilterThatNothingUsesIsAWarning) {
    configuration.filters.add(
        "idle", {ConfigText{"/etc/idle.filter", "[Filter]\nObject=/idle.o\n[Parameters]\nburst=0\n"}, {}});
    objects.insert_or_assign("/idle.o", failure(Error{ErrorCode::InvalidArgument, "out of range", "burst"}));
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings,
                ElementsAre("/etc/idle.filter:4: out of range; nothing uses the filter yet"));
    configuration.rules = {rule("/etc/a.queue", "web.service", "idle")};
    EXPECT_THAT(check().errors, ElementsAre("/etc/idle.filter:4: out of range"));
    EXPECT_THAT(check().warnings, IsEmpty());
}

TEST_F(ConfigurationCheckTest, NamesFiltersInTheWrongDirection) {
    objects.insert_or_assign("/port-1.o", outlineOf(FilterDirection::Egress));
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@1")};
    configuration.rules.front().places.emplace(*FilterName::parse("port@1"), "/etc/a.queue.d/x.conf:7");
    EXPECT_THAT(check().errors, ElementsAre("/etc/a.queue.d/x.conf:7: filter 'port@1' is an egress program "
                                            "and cannot be in an ingress queue"));
}

TEST_F(ConfigurationCheckTest, WarnsOfQueueFilesWithoutFilters) {
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@443")};
    configuration.rules.front().ingress.clear();
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings, ElementsAre(StartsWith("/etc/a.queue: it names no filter")));
}

TEST_F(ConfigurationCheckTest, OfARuleWithAMaskedFilterTheMaskIsNamed) {
    configuration.filters.mask("web", "/etc/filterd/web.filter");
    configuration.filters.mask("port@80", "/etc/filterd/port@80.filter");
    configuration.rules = {rule("/etc/a.queue", "web.service", "web"),
                           rule("/etc/b.queue", "b.service", "port@80")};
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(
        check().warnings,
        ElementsAre("/etc/a.queue: the filter 'web' is masked by /etc/filterd/web.filter, an empty file or a "
                    "link to /dev/null; remove that, or write a filter there: unless it is loaded "
                    "otherwise, OnFailure= applies",
                    StartsWith("/etc/b.queue: the filter 'port@80' is masked by")));
}

TEST_F(ConfigurationCheckTest, NamesMissingObjectsAndUndefinedFilters) {
    configuration.errors = {"/etc/b.queue:3: typo"};
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@80"),
                           rule("/etc/c.queue", "db.service", "none"),
                           rule("/etc/d.queue", "x.service", "port@80")};
    EXPECT_THAT(check().errors,
                ElementsAre("/etc/b.queue:3: typo",
                            "/etc/filterd/port@.filter:2: open /port-80.o: No such file or directory"));
    EXPECT_THAT(check().warnings, ElementsAre(StartsWith("/etc/c.queue: no file defines the filter 'none'")));
}

TEST_F(ConfigurationCheckTest, TellsATemplateFromAFilter) {
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@")};
    EXPECT_THAT(check().warnings, ElementsAre(HasSubstr("'port@' is a template, name an instance of it")));
}

TEST_F(ConfigurationCheckTest, WarnsOnlyOfWhatAnUnusedFilterLacks) {
    configuration.filters.add("idle",
                              {ConfigText{"/etc/filterd/idle.filter", "[Filter]\nObject=/nope.o\n"}, {}});
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(check().warnings, ElementsAre(AllOf(HasSubstr("idle.filter:2: open /nope.o: No such file"),
                                                    HasSubstr("nothing uses"))));
    configuration.filters.add(
        "idle", {ConfigText{"/etc/filterd/idle.filter", "[Filter]\nObject=/nope.o\nLoad=yes\n"}, {}});
    EXPECT_THAT(check().errors, ElementsAre(HasSubstr("open /nope.o: No such file")));
}

TEST_F(ConfigurationCheckTest, WarnsWhereARuleCoversTheAdministratorsWayIn) {
    for (const auto* target :
         {"sshd.service", "ssh.service", "s*.service", "sshd@*.service", "sshd@7-1.service",
          "ssh@[a-c]*.service", "system.slice", "*", "/system.slice", "/system.slice/ssh.service", "/"}) {
        configuration.rules = {rule("/etc/a.queue", target, "port@443")};
        EXPECT_THAT(check().warnings, ElementsAre(HasSubstr("lock you out"))) << target;
    }
    configuration.rules.front().logOnly = true;
    EXPECT_THAT(check().warnings, IsEmpty());
    configuration.rules.front().logOnly = false;
    configuration.filters.add(
        "count",
        {ConfigText{"/etc/count.filter", "[Filter]\nObject=/usr/lib/filterd/bpf/count.bpf.o\n"}, {}});
    objects.emplace("/usr/lib/filterd/bpf/count.bpf.o", ObjectOutline{});
    for (const auto* harmless : {"count", "builtin:pass"}) {
        configuration.rules = {rule("/etc/a.queue", "sshd.service", harmless)};
        EXPECT_THAT(check().warnings, IsEmpty()) << harmless << " drops nothing";
    }
    configuration.rules.front().ingress.clear(); // no queue, no lock
    EXPECT_THAT(check().warnings, ElementsAre(HasSubstr("names no filter")));
    configuration.rules = {rule("/etc/a.queue", "web-sshd.service", "port@443"),
                           rule("/etc/a.queue", "/user.slice", "port@443")};
    EXPECT_THAT(check().warnings, IsEmpty());
}

TEST_F(ConfigurationCheckTest, RefusesMoreNamesThanTheGuardHolds) {
    configuration.rules = {rule("/etc/a.queue", "web.service", "port@443")};
    configuration.rules.front().targets.resize(1024, "web.service");
    EXPECT_THAT(check().errors, IsEmpty());
    configuration.rules.push_back(rule("/etc/b.queue", "db.service", "port@443"));
    EXPECT_THAT(check().errors, ElementsAre(HasSubstr("1025 units")));
}

TEST_F(ConfigurationCheckTest, TellsWhatARuleDoesNotReach) {
    configuration.units.known.ofSystem = {"nginx.service", "ssh.service"};
    configuration.rules = {rule("/etc/a.queue", "ngnix.service", "port@443")};
    configuration.warnings = {"/etc/systemd/system/x.service:3: section [X-filterd] is not read by filterd"};
    EXPECT_THAT(check().errors, IsEmpty());
    EXPECT_THAT(
        check().warnings,
        ElementsAre(
            HasSubstr("[X-filterd]"),
            "/etc/a.queue: 'ngnix.service' covers no unit that systemd knows; did you mean nginx.service?"));
    running.units = {"ngnix.service"};
    EXPECT_THAT(check().warnings, ElementsAre(HasSubstr("[X-filterd]")));
}

} // namespace
} // namespace filterd
