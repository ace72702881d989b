// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/names.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

TEST(FilterName, AcceptsItsWholeAlphabetUpTo128Bytes) {
    EXPECT_TRUE(FilterName::parse("port@443"));
    EXPECT_TRUE(FilterName::parse("A-z_0:9"));
    EXPECT_TRUE(FilterName::parse(std::string(128, 'x')));
}

TEST(FilterName, RefusesWhatBpffsOrThePathWouldRefuse) {
    for (const std::string bad : {"", ".", "..", "a.b", "a/b", "a b", "ä"}) {
        const auto name = FilterName::parse(bad);
        ASSERT_FALSE(name) << bad;
        EXPECT_EQ(name.error().code, ErrorCode::InvalidName);
    }
    EXPECT_FALSE(FilterName::parse(std::string(129, 'x')));
    EXPECT_FALSE(FilterName::parse(std::string_view("a\0b", 3)));
}

TEST(FilterName, AListBehindTheAtHasColons) {
    for (const std::string written :
         {"port@80,443,8000-8080", "port@80:443:8000-8080", "port@80,443:8000-8080"})
        EXPECT_EQ(FilterName::parse(written)->text(), "port@80:443:8000-8080") << written;
    for (const std::string bad : {"port,443", "count,drop", "a,b@80", ","}) {
        const auto name = FilterName::parse(bad);
        ASSERT_FALSE(name) << bad;
        EXPECT_EQ(name.error().code, ErrorCode::InvalidName);
        EXPECT_NE(name.error().message.find("write blanks between names"), std::string::npos) << bad;
    }
}

TEST(FilterName, AMissingItemOfAListIsNamedByItsPlace) {
    for (const auto& [bad, place] :
         {std::pair("port@,80", "in front of its first comma"),
          std::pair("port@,", "in front of its first comma"), std::pair("port@80,", "behind its last comma"),
          std::pair("port@80:,443", "between two of its commas"),
          std::pair("port@80,,443", "between two of its commas")}) {
        const auto name = FilterName::parse(bad);
        ASSERT_FALSE(name) << bad;
        EXPECT_EQ(name.error().code, ErrorCode::InvalidName);
        EXPECT_EQ(name.error().message, "an item is missing in the list of '" + std::string(bad) + "', " +
                                            place + ": write it, or take the comma out, as in port@80,443");
    }
}

TEST(Pattern, IsAUnitAGlobOrACgroupPath) {
    EXPECT_TRUE(checkPattern("nginx.service"));
    EXPECT_TRUE(checkPattern("web@*.service"));
    EXPECT_TRUE(checkPattern("*"));
    EXPECT_TRUE(checkPattern("/system.slice/x.scope"));
    EXPECT_FALSE(checkPattern("nginx"));
    EXPECT_FALSE(checkPattern(""));
    EXPECT_FALSE(checkPattern("/system.slice/../x"));
    EXPECT_FALSE(checkPattern("a b.service"));
    EXPECT_FALSE(checkPattern(std::string(256, 'x') + ".service"));
}

TEST(UserUnit, IsNamedWithItsManager) {
    EXPECT_TRUE(isUserUnitName("user@1000.service/app.service"));
    EXPECT_TRUE(isUserUnitName("user@0.service/app-x.slice"));
    for (const char* other :
         {"app.service", "user@1000.service", "user@.service/app.service", "user@x.service/app.service",
          "user@-1.service/app.service", "user@4294967296.service/app.service", "user@1.service/app",
          "user@01000.service/app.service", "user@00.service/app.service", "user@+1.service/app.service",
          "user@ 1.service/app.service", "user@1 .service/app.service", "user@0x1.service/app.service",
          "user@1.service/", "/app.service", "user@1.service/a.slice/app.service", "app.service/app.service"})
        EXPECT_FALSE(isUserUnitName(other)) << other;
    EXPECT_EQ(userOfUnit("user@1000.service/app.service"), 1000U);
    EXPECT_EQ(userOfUnit("app.service"), std::nullopt);
    EXPECT_TRUE(checkPattern("user@1000.service/app.service"));
    EXPECT_TRUE(checkPattern("user@*.service/app@*.service"));
    EXPECT_TRUE(checkPattern("user@100[0-9].service/*"));
    for (const char* bad : {"user@*.service/", "user@*/app.service", "*/app.service", "user@*.service/a/*",
                            "user@x.service/a.service"})
        EXPECT_FALSE(checkPattern(bad)) << bad;
    EXPECT_FALSE(checkPattern("user@1000.service/" + std::string(248, 'x') + ".service"));
}

TEST(CgroupPath, BelongsToAUnitBelowSlicesAndAUsersManagerAlone) {
    EXPECT_EQ(unitOfCgroupPath("/"), "-.slice");
    EXPECT_EQ(unitOfCgroupPath("/nginx.service"), "nginx.service");
    EXPECT_EQ(unitOfCgroupPath("/system.slice/_cpu.service"), "cpu.service");
    EXPECT_EQ(unitOfCgroupPath("/user.slice/user-1000.slice/user@1000.service"), "user@1000.service");
    EXPECT_EQ(unitOfCgroupPath("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service"),
              "user@1000.service/a.service");
    EXPECT_EQ(unitOfCgroupPath("/user.slice/user-1000.slice/session-1.scope"), "session-1.scope");
    for (const char* none :
         {"", "//", "nginx.service", "/nginx", "/system.slice/", "/nginx.service/a.service",
          "/user@1.service/a.service/b.service", "/user@1.service/user@2.service/a.service",
          "/user@x.service/a.service", "/.slice/a.service", "/system.slice//a.service"})
        EXPECT_EQ(unitOfCgroupPath(none), "") << none;
}

TEST(CgroupName, LosesTheEscapeOfSystemd) {
    EXPECT_EQ(unitOfCgroupName("_cpu.service"), "cpu.service");
    EXPECT_EQ(unitOfCgroupName("nginx.service"), "nginx.service");
}

TEST(Pattern, OfASuffixThatNoUnitHasIsRefused) {
    for (const char* typo :
         {"*.servcie", "web@*.sevice", "user@*.service/*.servcie", "[a-z]*.timer", "*.target"}) {
        const auto checked = checkPattern(typo);
        ASSERT_FALSE(checked) << typo;
        EXPECT_NE(checked.error().message.find("is none of .service"), std::string::npos) << typo;
    }
    for (const char* good :
         {"*.service", "web.*", "*", "web@1.2*", "*vice", "a.b-*.scope", "web.servic[e]", "user@*.service/*"})
        EXPECT_TRUE(checkPattern(good)) << good;
}

TEST(Pattern, OfAPathIsWhatACgroupCanBeCalled) {
    for (const std::string& bad :
         {std::string("/system.slice/web@*.service"), std::string("/system.slice/w?b.service"),
          std::string("/[a-z]"), std::string("/a\nb"), std::string("/a/.."), std::string("/a/../b"),
          "/" + std::string(256, 'x'), "/" + std::string(5000, '/')})
        EXPECT_FALSE(checkPattern(bad)) << bad;
    for (const std::string& good :
         {std::string("/"), std::string("/a b/c"), "/" + std::string(255, 'x') + "/y",
          std::string("/system.slice/my\\x2dapp.service")})
        EXPECT_TRUE(checkPattern(good)) << good;
}

TEST(Pattern, MayBeAsLongAsTheLongestName) {
    const std::string longest = std::string(247, 'x') + ".service";
    EXPECT_TRUE(checkPattern(longest));
    EXPECT_TRUE(checkPattern("user@4294967295.service/" + longest));
    EXPECT_TRUE(checkPattern("user@*.service/" + longest));
    EXPECT_TRUE(checkPattern(std::string(240, 'x') + "@*.service"));
    EXPECT_FALSE(checkPattern("x" + longest));
    EXPECT_FALSE(checkPattern("user@1000.service/x" + longest));
}

TEST(Pattern, IsNoSliceThatSystemdCannotMake) {
    for (const char* none : {"user-.slice", "-user.slice", "a--b.slice"}) {
        const auto checked = checkPattern(none);
        ASSERT_FALSE(checked) << none;
        EXPECT_EQ(checked.error().code, ErrorCode::InvalidName);
        EXPECT_NE(checked.error().message.find("no slice"), std::string::npos) << checked.error().message;
    }
    for (const char* some : {"-.slice", "user-1000.slice", "user-*.slice", "a--b.service", "a-.service"})
        EXPECT_TRUE(checkPattern(some)) << some;
}

} // namespace
} // namespace filterd
