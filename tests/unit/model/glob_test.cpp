// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/glob.hpp"
#include "tests/shared/glob_generator.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fnmatch.h>

namespace filterd {
namespace {

Glob compiled(std::string_view pattern) {
    auto glob = Glob::compile(pattern);
    EXPECT_TRUE(glob) << pattern;
    return glob.value();
}

TEST(Glob, MatchesAsFnmatchDoes) {
    EXPECT_TRUE(compiled("web@*.service").matches("web@1.service"));
    EXPECT_FALSE(compiled("web@*.service").matches("web@1.servicex"));
    EXPECT_TRUE(compiled("*").matches(""));
    EXPECT_TRUE(compiled("").matches(""));
    EXPECT_TRUE(compiled("[]a]").matches("]"));
    EXPECT_TRUE(compiled("[!a-c]").matches("d"));
    EXPECT_TRUE(compiled("[[:digit:]x]*").matches("7up"));
}

// systemd writes \xNN into names; nothing in a unit's name needs to be escaped.
TEST(Glob, ABackslashIsALetter) {
    EXPECT_TRUE(compiled("my\\x2dapp@*.service").matches("my\\x2dapp@1.service"));
    EXPECT_TRUE(compiled("machine-qemu\\x2d*.scope").matches("machine-qemu\\x2d1\\x2dweb.scope"));
    EXPECT_TRUE(compiled("user@*.service/app-my\\x2dapp.service")
                    .matches("user@1000.service/app-my\\x2dapp.service"));
    EXPECT_FALSE(compiled("my\\x2dapp@*.service").matches("my-app@1.service"));
    EXPECT_FALSE(compiled("my\\x2dapp@*.service").matches("myx2dapp@1.service"));
    EXPECT_TRUE(compiled("a\\*").matches("a\\x2db"));
    EXPECT_TRUE(compiled("a\\").matches("a\\"));
    EXPECT_TRUE(compiled("[\\]*").matches("\\x2d"));
}

TEST(Glob, MatchesNothingThatIsNoUnitsName) {
    for (const std::string_view name : {"a b", "a\xe4", "a*", "a,b", "a{", "~"})
        EXPECT_FALSE(compiled("*").matches(name)) << name;
    EXPECT_FALSE(compiled("web@*.service").matches(std::string_view("web@1.service\0x", 15)));
}

TEST(Glob, TakesNamesAsLongAsSystemdDoes) {
    const std::string manager = "user@4294967295.service/";
    const std::string longest(255 - std::string_view("@1.service").size(), 'x');
    for (const auto& before : {std::string(), manager}) {
        const auto glob = compiled(before + longest + "@*.service");
        EXPECT_TRUE(glob.matches(before + longest + "@1.service"));
        EXPECT_FALSE(glob.matches(before + longest + "@1.servic"));
        EXPECT_FALSE(glob.matches(before + longest.substr(1) + "@1.service"));
        EXPECT_FALSE(glob.matches(before + longest + "y@1.service"));
    }
    for (const std::size_t length : {62U, 63U, 64U, 65U, 127U, 128U, 129U, 191U, 192U, 255U, 279U}) {
        const std::string letters(length, 'x');
        EXPECT_TRUE(compiled(letters).matches(letters)) << length;
        EXPECT_FALSE(compiled(letters).matches(letters.substr(1))) << length;
        EXPECT_FALSE(compiled(letters).matches(letters.substr(1) + "y")) << length;
        EXPECT_EQ(compiled("*" + letters + "*").matches(letters + std::string(279 - length, 'y')), true)
            << length;
    }
    EXPECT_TRUE(compiled(std::string(2000, '*')).matches("a"));
    const auto refused = Glob::compile(std::string(320, 'x') + "*");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

TEST(Glob, MeetsAFormThatAnyOfItsNamesMatches) {
    const auto meets = [](const char* pattern, const char* form) { return compiled(pattern).meets(form); };
    EXPECT_TRUE(meets("web@*.service", "web@*.service"));
    EXPECT_TRUE(meets("web@prod-*.service", "web@*.service"));
    EXPECT_TRUE(meets("*.service", "web@*.service"));
    EXPECT_TRUE(meets("w*", "web@*.service"));
    EXPECT_TRUE(meets("?eb@[0-9].service", "web@*.service"));
    EXPECT_FALSE(meets("web.service", "web@*.service"));
    EXPECT_FALSE(meets("web@*.scope", "web@*.service"));
    EXPECT_FALSE(meets("*.servcie", "web@*.service"));
    EXPECT_TRUE(meets(("web@" + std::string(100, 'x') + "*.service").c_str(), "web@*.service"));
    EXPECT_TRUE(Glob::exact("web@1.service")->meets("web@*.service"));
    EXPECT_FALSE(Glob::exact("web.service")->meets("web@*.service"));
}

TEST(Glob, RefusesWhatFnmatchReadsInTwoWays) {
    for (const std::string_view bad :
         {"[a", "[", "[!", "[[:digit:]", "[a\\", "[[:no:]]", "[[.a.]]", "[[=a=]]", "[a-[.z.]]"}) {
        const auto refused = Glob::compile(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, ErrorCode::InvalidName) << bad;
    }
    EXPECT_FALSE(Glob::compile(std::string_view("a\0b", 3)));
}

TEST(Glob, AnExactNameStandsForItselfAlone) {
    const std::string docker = "docker-" + std::string(64, 'f') + ".scope";
    EXPECT_TRUE(Glob::exact(docker)->matches(docker));
    EXPECT_FALSE(Glob::exact(docker)->matches(docker + "x"));
    EXPECT_FALSE(Glob::exact(docker)->matches(docker.substr(0, 70)));
    EXPECT_TRUE(Glob::exact("dev-a\\x2db.mount")->matches("dev-a\\x2db.mount"));
    EXPECT_FALSE(Glob::exact("*.service")->matches("a.service"));
    const std::string longest(279, 'n');
    EXPECT_TRUE(Glob::exact(longest)->matches(longest));
    EXPECT_FALSE(Glob::exact(longest)->matches(longest + "n"));
    EXPECT_FALSE(Glob::exact(longest + "n"));
}

// Ours must be fnmatch's answer wherever a pattern is accepted, and most generated patterns are.
void agreesWithFnmatch(bool isLong, int wanted) {
    GlobGenerator generator(20240607);
    int pairs = 0;
    int matches = 0;
    int refused = 0;
    while (pairs < wanted) {
        const auto pattern = isLong ? generator.longPattern() : generator.pattern();
        const auto glob = Glob::compile(pattern);
        if (!glob) {
            ++refused;
            continue;
        }
        ASSERT_EQ(glob->wide() != nullptr, glob->automaton().kind == GLOB_WIDE);
        for (int i = 0; i < 10; ++i, ++pairs) {
            const auto name = i % 2 == 0 ? generator.name() : generator.nameFor(pattern);
            const bool expected = ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
            ASSERT_EQ(glob->matches(name), expected) << "pattern '" << pattern << "' name '" << name << "'";
            matches += expected ? 1 : 0;
        }
    }
    EXPECT_GT(matches, pairs / 100);
    EXPECT_LT(refused, pairs / 10);
}

TEST(Glob, AgreesWithFnmatchOnGeneratedPairs) { agreesWithFnmatch(false, 300000); }

TEST(Glob, AgreesWithFnmatchOnLongPatterns) { agreesWithFnmatch(true, 50000); }

} // namespace
} // namespace filterd
