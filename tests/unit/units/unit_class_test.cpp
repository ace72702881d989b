// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/unit_rules.hpp"
#include "core/model/glob.hpp"
#include "core/model/unit_class.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

namespace filterd {
namespace {

using testing::ElementsAre;

std::vector<std::string> directories(const char* unit) {
    return dropInDirectories(UnitName::parse(unit).value());
}

// tests/system/units/test_unit_paths.py compares the same with the systemd that runs.
TEST(DropInDirectories, AreThoseOfSystemd) {
    EXPECT_THAT(directories("a-b-c.service"),
                ElementsAre("a-b-c.service", "a-b-.service", "a-.service", "service"));
    EXPECT_THAT(directories("foo-bar@x-y.service"),
                ElementsAre("foo-bar@x-y.service", "foo-bar@.service", "foo-.service", "foo-@x-y.service",
                            "foo-@.service", "service"));
    EXPECT_THAT(directories("user@1000.service"),
                ElementsAre("user@1000.service", "user@.service", "service"));
    EXPECT_THAT(directories("dash-.service"), ElementsAre("dash-.service", "service"));
    EXPECT_THAT(directories("dash--x.service"),
                ElementsAre("dash--x.service", "dash--.service", "dash-.service", "service"));
    EXPECT_THAT(directories("-lead-x.slice"), ElementsAre("-lead-x.slice", "-lead-.slice", "slice"));
    EXPECT_THAT(directories("-.slice"), ElementsAre("-.slice", "slice"));
}

UnitClass directory(const char* name) { return UnitClass::ofDirectory(UnitName::parse(name).value()); }

TEST(UnitClass, CoversWhatSystemdAppliesADirectoryTo) {
    EXPECT_EQ(directory("web.service").target(), "web.service");
    EXPECT_EQ(directory("a\\x2db@.service").target(), "a\\x2db@*.service");
    EXPECT_EQ(directory("a-.service").target(), "a-*.service");
    EXPECT_EQ(directory("a-@.service").target(), "a-*@*.service");
    EXPECT_EQ(directory("a-@x\\x2dy.service").target(), "a-*@x\\x2dy.service");
    EXPECT_EQ(directory("-.slice").target(), "-.slice");
    EXPECT_EQ(UnitClass::ofFragment(UnitName::parse("a-.service").value()).target(), "a-.service")
        << "a unit's file is for no other";
}

TEST(UnitClass, TwoThatOverlapHaveTheirCommonPartBeforeThem) {
    const auto targets = [](UnitClasses classes) {
        std::vector<std::string> result;
        for (const auto& one : withCommonParts(std::move(classes)))
            result.push_back(one.target());
        return result;
    };
    EXPECT_THAT(targets({directory("a-@1.service"), directory("a-b@.service")}),
                ElementsAre("a-b@1.service", "a-b@*.service", "a-*@1.service"));
    EXPECT_THAT(targets({directory("a-@.service"), directory("a-b-.service")}),
                ElementsAre("a-b-*@*.service", "a-b-*.service", "a-*@*.service"));
    EXPECT_THAT(targets({directory("a-b@.service"), directory("a-.service"), directory("c.service")}),
                ElementsAre("c.service", "a-b@*.service", "a-*.service"));
}

// Whatever files there are: the first rule that covers a unit has the filters of all files that systemd would
// put the unit together from.
class SomeUnitFiles {
  public:
    explicit SomeUnitFiles(unsigned seed) : random_(seed) {
        files_.fragments["a-b@.service"] = {"/lib/a-b@.service", ""};
        if (coin())
            files_.relations.aliases = {{"x-y@.service", "a-b@.service"}, {"x-z.service", "a-b-c.service"}};
        for (const auto* name : kNames)
            if (coin())
                files_.dropIns[name].push_back(
                    {text(name) + ".conf", 0, ConfigText{"/" + text(name), section(name)}});
    }

    [[nodiscard]] const UnitFiles& files() const { return files_; }

  private:
    static std::string text(std::string name) { return name; }
    static std::string section(const std::string& name) {
        std::string filter;
        for (const char c : name)
            filter += c == '.' ? ':' : c;
        return "[X-Filterd]\nIngressFilter=" + filter + "\n";
    }
    bool coin() { return std::uniform_int_distribution<int>(0, 3)(random_) == 0; }

    static constexpr std::array kNames{"a.service",      "a-.service",      "a-b.service",   "a-b-.service",
                                       "a-b-c.service",  "a-@.service",     "a-@1.service",  "a-b@.service",
                                       "a-b@1.service",  "a-b@2.service",   "a-b-@.service", "a-b-@1.service",
                                       "a-b-c@.service", "a-b-c@1.service", "x-.service",    "x-y@.service",
                                       "x-y@1.service",  "x-@.service",     "x-@2.service",  "x-z.service",
                                       "service"};
    std::mt19937 random_;
    UnitFiles files_;
};

std::vector<std::string> filtersFor(const std::string& unit, const std::vector<Rule>& rules) {
    for (const auto& rule : rules) {
        const auto& target = rule.targets.front();
        if (target != unit && (!target.ends_with(".service") || target.find('*') == std::string::npos ||
                               !Glob::compile(target)->matches(unit)))
            continue;
        return textsOf(rule.ingress);
    }
    return {};
}

std::vector<std::string> filtersIn(const std::vector<ConfigText>& texts) {
    std::vector<std::string> filters;
    for (const auto& text : texts)
        if (const auto at = text.text.find('='); at != std::string::npos)
            filters.push_back(text.text.substr(at + 1, text.text.size() - at - 2));
    return filters;
}

TEST(UnitClass, TheFirstRuleThatCoversAUnitHasAllOfItsFiles) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        const SomeUnitFiles some(seed);
        const auto rules = unitRules(some.files(), {}).rules;
        for (const char* unit :
             {"a.service", "a-b.service", "a-b-c.service", "a-b-c-d.service", "a-b@1.service",
              "a-b@2.service", "a-b@3.service", "a-b-c@1.service", "a-b-c@2.service", "a-b-c-d@1.service",
              "a-d@1.service", "x.service", "x-a.service"})
            ASSERT_EQ(filtersFor(unit, rules), filtersIn(filesOfUnit(some.files(), unit)))
                << unit << ", seed " << seed;
    }
}

} // namespace
} // namespace filterd
