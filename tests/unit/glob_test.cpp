#include "../glob_generator.hpp"
#include "core/glob.hpp"

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
    EXPECT_TRUE(compiled("a\\*").matches("a*"));
}

TEST(Glob, AcceptsUpTo63ElementsAndAnyNumberOfStars) {
    const std::string longest(63, 'x');
    EXPECT_TRUE(compiled(longest + "*").matches(longest + std::string(192, 'y')));
    EXPECT_TRUE(compiled(std::string(200, '*')).matches("a"));
    const auto refused = Glob::compile(longest + "x");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
    EXPECT_NE(refused.error().message.find("63"), std::string::npos);
}

TEST(Glob, RefusesWhatFnmatchReadsInTwoWays) {
    for (const std::string_view bad :
         {"[a", "[", "[!", "[[:digit:]", "a\\", "[a\\", "[[:no:]]", "[[.a.]]", "[[=a=]]", "[a-[.z.]]"}) {
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
    const std::string longest(255, 'n');
    EXPECT_TRUE(Glob::exact(longest)->matches(longest));
    EXPECT_FALSE(Glob::exact(longest)->matches(longest + "n"));
    EXPECT_FALSE(Glob::exact(longest + "n"));
}

// Ours must be fnmatch's answer wherever a pattern is accepted, and most generated patterns are.
TEST(Glob, AgreesWithFnmatchOnGeneratedPairs) {
    GlobGenerator generator(20240607);
    int pairs = 0;
    int matches = 0;
    int refused = 0;
    while (pairs < 300000) {
        const auto pattern = generator.pattern();
        const auto glob = Glob::compile(pattern);
        if (!glob) {
            ++refused;
            continue;
        }
        for (int i = 0; i < 10; ++i, ++pairs) {
            const auto name = generator.name();
            const bool expected = ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
            ASSERT_EQ(glob->matches(name), expected) << "pattern '" << pattern << "' name '" << name << "'";
            matches += expected ? 1 : 0;
        }
    }
    EXPECT_GT(matches, pairs / 50);
    EXPECT_LT(refused, pairs / 10);
}

} // namespace
} // namespace filterd
