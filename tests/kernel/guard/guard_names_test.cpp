// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Which cgroups are held: those that the system's manager makes, by the first rule that matches the name.
#include "guard_scenes.hpp"
#include "tests/shared/glob_generator.hpp"

#include <algorithm>

namespace filterd::bed {

namespace {

struct Name {
    const char* path;
    int queue; // 0: not held
};

constexpr std::array kRules{std::pair{"web-test*.service", 0},
                            std::pair{"web*.service", 2},
                            std::pair{"nginx.service", 1},
                            std::pair{"cpu.service", 1},
                            std::pair{"[a-c]?.slice", 2},
                            std::pair{"x@*.service", 1},
                            std::pair{"user@1000.service/mine.service", 1},
                            std::pair{"user@*.service/any-*.service", 2},
                            std::pair{"user@1000.service/cpu.service", 1},
                            std::pair{"*.scope", 3}};

constexpr std::array kNames{
    Name{"nginx.service", 1}, Name{"web-1.service", 2},
    Name{"web-test9.service", 0}, // an earlier rule says so
    Name{"_cpu.service", 1},      // as systemd escapes it
    Name{"_nginx.service", 1}, Name{"b7.slice", 2}, Name{"d7.slice", 0}, Name{"x@1.service", 1},
    Name{"nginx.servicex", 0}, Name{"nginx.servic", 0}, Name{"user.slice", 0},
    Name{"user.slice/user-1000.slice", 0}, Name{"user.slice/user-1000.slice/nginx.service", 1},
    // An unprivileged user can make these: directories of any name, below what is delegated to them.
    Name{"user.slice/user-1000.slice/user@1000.service", 0},
    Name{"user.slice/user-1000.slice/user@1000.service/nginx.service", 0},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice", 0},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service", 0},
    Name{"nginx.service/web-1.service", 0}, Name{"slice", 0}, Name{"slice/nginx.service", 0},
    Name{".slice", 0}, Name{".slice/nginx.service", 0}, Name{"x.slicex", 0},
    Name{"x.slicex/nginx.service", 0},
    // Units of users' managers have rules of their own, which mean nothing else.
    Name{"user.slice/user-1000.slice/user@1000.service/mine.service", 1},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/mine.service", 1},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice", 0},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/mine.service", 1},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/any-1.service", 2},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/_cpu.service", 1},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/mine.servicex", 0},
    Name{"user.slice/user-1000.slice/user@1000.service/app.slice/x.scope", 0}, Name{"x.scope", 3},
    Name{"user.slice/user-1001.slice", 0}, Name{"user.slice/user-1001.slice/user@1001.service", 0},
    Name{"user.slice/user-1001.slice/user@1001.service/mine.service", 0},
    Name{"user.slice/user-1001.slice/user@1001.service/any-1.service", 2}, Name{"mine.service", 0},
    Name{"any-1.service", 0},
    // A user plays the manager of another one, or a unit's process that of its own.
    Name{"user.slice/user-1001.slice/user@1001.service/user@1000.service", 0},
    Name{"user.slice/user-1001.slice/user@1001.service/user@1000.service/mine.service", 0},
    Name{"user.slice/user-1001.slice/user@1001.service/x.service", 0},
    Name{"user.slice/user-1001.slice/user@1001.service/x.service/any-2.service", 0},
    Name{"user.slice/user-1001.slice/user@1001.service/x.service/y.slice", 0},
    Name{"user.slice/user-1001.slice/user@1001.service/x.service/y.slice/any-2.service", 0},
    Name{"nginx.service/user@1000.service", 0}, Name{"nginx.service/user@1000.service/mine.service", 0},
    Name{"user@.service", 0}, Name{"user@.service/any-3.service", 0}, Name{"user@x.service", 0},
    Name{"user@x.service/any-3.service", 0}, Name{"user@1000.servicex", 0},
    Name{"user@1000.servicex/any-3.service", 0}, Name{"user@4294967294.service", 0},
    Name{"user@4294967294.service/any-3.service", 2}, Name{"user@42949672940.service", 0},
    Name{"user@42949672940.service/any-3.service", 0}};

} // namespace

std::vector<std::string> Scenes::misjudgedNames() {
    setRules({kRules.begin(), kRules.end()});
    std::vector<std::string> wrong;
    for (const auto& name : kNames) {
        makeCgroup(name.path);
        if (heldQueue(name.path) != name.queue)
            wrong.emplace_back(name.path);
    }
    return wrong;
}

namespace {

using GuardNames = Scenes;

TEST_F(GuardNames, OnlyWhatTheSystemManagerMakesIsHeld) {
    open();
    EXPECT_EQ(misjudgedNames(), std::vector<std::string>{});
}

TEST_F(GuardNames, TheLongestNamesAreJudged) {
    open();
    const std::string longest = "l" + std::string(246, 'x') + ".service";
    ASSERT_EQ(longest.size(), 255U);
    ASSERT_TRUE(guard().setRules(
        {{Glob::exact(longest).value(), slot(1)}, {Glob::compile("m*x.service").value(), slot(2)}}));
    makeCgroup(longest);
    makeCgroup("m" + longest.substr(1));
    EXPECT_EQ(heldQueue(longest), 1);
    EXPECT_EQ(heldQueue("m" + longest.substr(1)), 2);
    makeCgroup(longest.substr(0, 246) + ".service");
    EXPECT_EQ(heldQueue(longest.substr(0, 246) + ".service"), 0);
}

TEST_F(GuardNames, TheLongestNamesOfUsersUnitsAreJudged) {
    open();
    const std::string manager = "user@1000.service";
    makeCgroup(manager);
    const auto unit = [&](char letter) { return std::string(247, letter) + ".service"; };
    setRules({{manager + "/" + unit('x'), 1},
              {"user@*.service/" + std::string(200, 'y') + "*.service", 2},
              {"user@*.service/z*", 3}});
    for (const auto& [letter, queue] :
         {std::pair{'x', 1}, std::pair{'y', 2}, std::pair{'z', 3}, std::pair{'w', 0}}) {
        const auto name = manager + "/" + unit(letter);
        ASSERT_EQ(unit(letter).size(), 255U);
        makeCgroup(name);
        EXPECT_EQ(heldQueue(name), queue) << name;
    }
}

// Globs beyond one word have their automata in a map of their own, in two halves as the rules.
TEST_F(GuardNames, LongGlobsAreJudgedAndChangeWithTheRules) {
    open();
    const std::string stem(100, 'x');
    for (int round = 0; round < 5; ++round) {
        const int queue = 1 + round % 3;
        setRules({{"web@" + stem + "*.service", queue},
                  {"*.service", 0},
                  {stem + "*" + stem + "*.scope", 3 - round % 3}});
        for (const auto& [name, expected] :
             {std::pair{"web@" + stem + "1.service", queue},
              std::pair{"web@" + stem.substr(1) + ".service", 0},
              std::pair{stem + stem + ".scope", 3 - round % 3}, std::pair{stem + ".scope", 0}}) {
            makeCgroup(name);
            EXPECT_EQ(heldQueue(name), expected) << name;
            removeCgroup(name);
        }
    }
    setRules({{"web@*.service", 1}});
    makeCgroup("web@" + stem + "1.service");
    EXPECT_EQ(heldQueue("web@" + stem + "1.service"), 1);
}

TEST_F(GuardNames, EscapesInNamesAreLetters) {
    open();
    setRules({{"my\\x2dapp@*.service", 1}, {"machine-qemu\\x2d*.scope", 2}});
    for (const auto& [name, queue] :
         {std::pair{"my\\x2dapp@1.service", 1}, std::pair{"my-app@1.service", 0},
          std::pair{"machine-qemu\\x2d1\\x2dweb.scope", 2}, std::pair{"machine-qemux2d1.scope", 0}}) {
        makeCgroup(name);
        EXPECT_EQ(heldQueue(name), queue) << name;
    }
}

TEST_F(GuardNames, TheFirstOfManyRulesDecides) {
    open();
    std::vector<std::pair<std::string, int>> rules;
    rules.reserve(301);
    for (int i = 0; i < 300; ++i)
        rules.emplace_back("*-" + std::to_string(i) + "-*.service", 1 + i % 2);
    rules.emplace_back("*.service", 3);
    setRules(rules);
    for (const int i : {0, 1, 150, 299}) {
        const auto unit = "a-" + std::to_string(i) + "-b.service";
        makeCgroup(unit);
        EXPECT_EQ(heldQueue(unit), 1 + i % 2) << unit;
    }
    makeCgroup("a-1-0-b.service");
    EXPECT_EQ(heldQueue("a-1-0-b.service"), 1) << "rule 0 comes before rule 1";
    makeCgroup("a.service");
    EXPECT_EQ(heldQueue("a.service"), 3);
}

// One source for both (bpf/glob.h): whatever is generated, the kernel holds what the daemon expects.
TEST_F(GuardNames, TheKernelAndTheDaemonAgreeOnGeneratedNames) {
    open();
    GlobGenerator generator(20260611);
    int held = 0;
    int names = 0;
    const int rounds = 2 * packetsPerSituation();
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::pair<Glob, int>> rules; // in order; queue 0: not guarded
        std::vector<GuardRule> compiled;
        std::vector<std::string> patterns;
        while (rules.size() < 12)
            if (const auto glob = Glob::compile(patterns.emplace_back(
                    generator.below(3) == 0 ? generator.longPattern() : generator.pattern()))) {
                rules.emplace_back(*glob, static_cast<int>(generator.below(4)));
                const auto number = rules.back().second;
                compiled.push_back({*glob, number == 0 ? std::nullopt : std::optional(slot(number))});
            }
        ASSERT_TRUE(guard().setRules(compiled));
        for (int i = 0; i < 20; ++i) {
            const auto name =
                i % 2 == 0 ? generator.name() : generator.nameFor(patterns[generator.below(patterns.size())]);
            if (name.empty() || name == "." || name == "..")
                continue;
            makeCgroup(name);
            const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& candidate) {
                return candidate.first.matches(unitOfCgroupName(name));
            });
            const int expected = rule == rules.end() ? 0 : rule->second;
            EXPECT_EQ(heldQueue(name), expected) << name;
            removeCgroup(name);
            held += expected == 0 ? 0 : 1;
            ++names;
        }
    }
    EXPECT_GT(held, names / 10);
    EXPECT_LT(held, names);
}

TEST_F(GuardNames, WhatIsNotBelowTheRootIsNotJudged) {
    makeCgroup("elsewhere.slice");
    makeCgroup("root.slice");
    const auto below = openGuard({kBpffs, cgroupPath("root.slice"), {}, 0});
    ASSERT_TRUE(below && below->guard);
    const auto slot = below->guard->allocateSlot();
    ASSERT_TRUE(slot);
    ASSERT_TRUE(below->guard->setRules({{Glob::compile("nginx.service").value(), *slot}}));
    makeCgroup("nginx.service");
    makeCgroup("elsewhere.slice/nginx.service");
    EXPECT_EQ(below->guard->counters().held, 0U);
    makeCgroup("root.slice/nginx.service");
    EXPECT_EQ(below->guard->counters().held, 1U);
}

} // namespace
} // namespace filterd::bed
