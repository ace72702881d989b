// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/unit_name.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

TEST(UnitName, HasThePartsThatSystemdSees) {
    const auto plain = UnitName::parse("a-b.c.service");
    ASSERT_TRUE(plain);
    EXPECT_TRUE(plain->isPlain());
    EXPECT_EQ(plain->prefix(), "a-b.c");
    EXPECT_EQ(plain->type(), "service");
    EXPECT_EQ(plain->withInstance("1"), *plain) << "a plain unit has no instances";

    const auto instance = UnitName::parse("web@a@b.c.socket");
    ASSERT_TRUE(instance);
    EXPECT_TRUE(instance->isInstance());
    EXPECT_EQ(instance->prefix(), "web");
    EXPECT_EQ(instance->instance(), "a@b.c");
    EXPECT_EQ(instance->templateName().text(), "web@.socket");
    EXPECT_TRUE(instance->templateName().isTemplate());
    EXPECT_EQ(instance->text(), "web@a@b.c.socket");
    EXPECT_EQ(instance->withType("service").text(), "web@a@b.c.service");
    EXPECT_EQ(instance->withPrefix("x-").text(), "x-@a@b.c.socket");
}

TEST(UnitName, IsNothingForWhatIsNoUnit) {
    for (const char* other : {"",
                              ".",
                              "@",
                              ".service",
                              "@.service",
                              "@1.service",
                              "web@*",
                              "web@*.service",
                              "*@*",
                              "a@b",
                              "/a@b",
                              "/a@b.service",
                              "web",
                              "web.",
                              "web.servic",
                              "service",
                              "a b.service",
                              "user@1.service/a@b.service",
                              "web@1.timer",
                              "\xff@.service"})
        EXPECT_FALSE(UnitName::parse(other)) << other;
    EXPECT_FALSE(UnitName::parse(std::string(250, 'a') + ".service"));
}

} // namespace
} // namespace filterd
