// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_link.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

// As systemd 252 and 257 take them; tests/system/units/test_unit_paths.py asks the one that runs.
std::string meaning(const std::string& name, const std::string& target) {
    const auto link = meaningOfLink(name, target, {"/etc/systemd/system", "/usr/lib/systemd/system"});
    switch (link.meaning) {
    case UnitLink::Meaning::Linked:
        return "linked";
    case UnitLink::Meaning::Alias:
        return "alias of " + link.primary;
    default:
        return "nothing";
    }
}

TEST(UnitLink, OutOfTheUnitPathsIsALinkedUnitOfItsOwnName) {
    EXPECT_EQ(meaning("app.service", "/opt/app/app-v42.service"), "linked");
    EXPECT_EQ(meaning("app.service", "/opt/app/app.service"), "linked");
    EXPECT_EQ(meaning("app.service", "/opt/app/settings.txt"), "linked");
    EXPECT_EQ(meaning("app@.service", "/opt/app/app-v42@.service"), "linked");
    EXPECT_EQ(meaning("app@5.service", "/opt/app/app@.service"), "linked");
    EXPECT_EQ(meaning("app.slice", "/opt/app/other.slice"), "linked");
    EXPECT_EQ(meaning("app.service", "/etc/systemd/systemd/app-v42.service"), "linked");
    EXPECT_EQ(meaning("app.service", "/etc/systemd/system"), "linked");
}

TEST(UnitLink, WithinThemIsAnAliasOfAUnitOfItsKind) {
    EXPECT_EQ(meaning("web.service", "/usr/lib/systemd/system/nginx.service"), "alias of nginx.service");
    EXPECT_EQ(meaning("web.socket", "/etc/systemd/system/nginx.socket"), "alias of nginx.socket");
    EXPECT_EQ(meaning("w@.service", "/etc/systemd/system/web@.service"), "alias of web@.service");
    EXPECT_EQ(meaning("w@1.service", "/etc/systemd/system/web@1.service"), "alias of web@1.service");
    EXPECT_EQ(meaning("w@1.service", "/etc/systemd/system/web@.service"), "alias of web@1.service");
    EXPECT_EQ(meaning("web@1.service", "/etc/systemd/system/web@.service"), "alias of web@1.service");
    EXPECT_EQ(meaning("deep.service", "/etc/systemd/system/sub/other.service"), "alias of other.service");
}

TEST(UnitLink, ThatNoUnitCanBeReadFromIsNothing) {
    EXPECT_EQ(meaning("web.service", "/usr/lib/systemd/system/web.service"), "nothing")
        << "a lower path has it";
    EXPECT_EQ(meaning("web.socket", "/etc/systemd/system/web.service"), "nothing");
    EXPECT_EQ(meaning("web.service", "/etc/systemd/system/web.timer"), "nothing");
    EXPECT_EQ(meaning("web.service", "/etc/systemd/system/settings.txt"), "nothing");
    EXPECT_EQ(meaning("web.service", "/etc/systemd/system/web@.service"), "nothing");
    EXPECT_EQ(meaning("w@.service", "/etc/systemd/system/web@1.service"), "nothing");
    EXPECT_EQ(meaning("w@1.service", "/etc/systemd/system/web@2.service"), "nothing");
    EXPECT_EQ(meaning("a.slice", "/etc/systemd/system/b.slice"), "nothing");
    EXPECT_EQ(meaning("a.mount", "/etc/systemd/system/b.mount"), "nothing");
}

} // namespace
} // namespace filterd
