// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/known_units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

class KnownUnitsTest : public testing::Test {
  protected:
    std::string why(const std::string& target) {
        return whyUnknown(target, known, RunningUnitsOnDemand([this] {
                              ++asked;
                              return running;
                          }));
    }

    KnownUnits known{{"nginx.service", "web@.service", "my\\x2dapp@.service", "apache2.service", "web.slice",
                      "ssh.socket"},
                     {"app.service", "pod@.service"}};
    RunningUnits running;
    int asked = 0;
};

TEST_F(KnownUnitsTest, WhatAFileTellsOfIsKnown) {
    for (const char* target :
         {"nginx.service", "web@1.service", "web@*.service", "ng*", "*.service", "*", "web@prod-*.service",
          "my\\x2dapp@7.service", "my\\x2dapp@*.service", "user@*.service/app.service",
          "user@1000.service/pod@1.service", "user@*.service/a*", "/system.slice/any.thing"})
        EXPECT_THAT(why(target), IsEmpty()) << target;
    EXPECT_EQ(asked, 0) << "the files tell";
}

TEST_F(KnownUnitsTest, AUserWhoAsksKnowsTheirOwnHome) {
    const std::string unit = "user@1000.service/apq.service";
    EXPECT_THAT(
        why(unit),
        HasSubstr("covers no unit of a file for all users, and none that runs; files in a user's home "
                  "are not read; did you mean user@1000.service/app.service?"));
    known.isHomeRead = true;
    EXPECT_THAT(why(unit), EndsWith("covers no unit of a file, and none that runs; did you mean "
                                    "user@1000.service/app.service?"));
}

TEST_F(KnownUnitsTest, WhatSystemdMakesWhenItIsNeededIsKnown) {
    for (const char* target :
         {"session-3.scope", "session-*.scope", "machine-box.scope", "machine-*.scope", "run-u12.service",
          "user-1000.slice", "user@1000.service", "-.slice", "system.slice", "init.scope", "system-web.slice",
          "machine-qemu\\x2d*.scope", "user@*.service/app-*.scope", "user@1000.service/init.scope"})
        EXPECT_THAT(why(target), IsEmpty()) << target;
}

TEST_F(KnownUnitsTest, WhatRunsIsKnown) {
    running.units = {"transient.service", "user@1000.service/own.service"};
    running.mounts = {{"mnt-x.mount", "nfs"}};
    for (const char* target : {"transient.service", "trans*", "user@1000.service/own.service",
                               "user@*.service/own.service", "mnt-x.mount"})
        EXPECT_THAT(why(target), IsEmpty()) << target;
    EXPECT_THAT(why("own.service"), HasSubstr("covers no unit"));
}

TEST_F(KnownUnitsTest, OfATypoTheNearestNameIsTold) {
    EXPECT_EQ(why("ngnix.service"),
              "'ngnix.service' covers no unit that systemd knows; did you mean nginx.service?");
    EXPECT_THAT(why("apache.service"), EndsWith("did you mean apache2.service?"));
    EXPECT_THAT(why("wbe@*.service"), EndsWith("did you mean web@*.service?"));
    EXPECT_THAT(why("wbe@long-instance.service"), EndsWith("did you mean web@long-instance.service?"));
    EXPECT_THAT(why("my-app@1.service"), EndsWith("did you mean my\\x2dapp@1.service?"));
    EXPECT_THAT(why("my-app@*.service"), EndsWith("did you mean my\\x2dapp@*.service?"));
    EXPECT_THAT(why("user@1000.service/appp.service"),
                EndsWith("did you mean user@1000.service/app.service?"));
    EXPECT_EQ(why("postgresql.service"), "'postgresql.service' covers no unit that systemd knows");
    EXPECT_EQ(why("x.service"), "'x.service' covers no unit that systemd knows");
}

// A rule for another name is one for the unit itself, but a glob is compared with units' own names.
TEST_F(KnownUnitsTest, AGlobOverAnotherNameCoversNoUnit) {
    known.ofSystem.insert({"sshd.service", "www@.service"});
    known.aliasesOfSystem = {"sshd.service", "www@.service"};
    for (const char* target : {"sshd*", "sshd.*", "www@[12].service"})
        EXPECT_THAT(why(target), HasSubstr("another name of one, which globs do not match")) << target;
    for (const char* target : {"ss*", "*.service", "sshd.service"})
        EXPECT_THAT(why(target), IsEmpty()) << target;
}

TEST_F(KnownUnitsTest, OfAUserSystemdMakesUnitsByNumber) {
    known.ofSystem.insert("user@.service");
    for (const char* target : {"user-bob.slice", "user@bob.service", "user@-1.service"})
        EXPECT_THAT(why(target), HasSubstr("by the user's number")) << target;
    for (const char* target : {"user-1000.slice", "user@1000.service", "user@*.service", "user-*.slice"})
        EXPECT_THAT(why(target), IsEmpty()) << target;
}

TEST_F(KnownUnitsTest, SystemdMakesSlicesOfTemplatesThatThereAre) {
    EXPECT_THAT(why("system-web.slice"), IsEmpty());
    EXPECT_THAT(why("system-my\\x2dweb.slice"), HasSubstr("covers no unit"));
    EXPECT_THAT(why("system-wbe.slice"), HasSubstr("covers no unit"));
    EXPECT_THAT(why("system-*.slice"), IsEmpty());
    running.units = {"system-wbe.slice"};
    EXPECT_THAT(why("system-wbe.slice"), IsEmpty());
}

TEST_F(KnownUnitsTest, ASliceOfEachInstanceIsKnownByItsForm) {
    known.ofSystem.insert("shop-*.slice");
    for (const char* target : {"shop-1.slice", "shop-[a-c].slice", "sho*.slice", "shop.slice"})
        EXPECT_THAT(why(target), IsEmpty()) << target;
    EXPECT_THAT(why("shp-1.slice"), HasSubstr("covers no unit"));
}

TEST_F(KnownUnitsTest, ATemplateCoversNoInstance) {
    EXPECT_EQ(why("web@.service"),
              "'web@.service' is a template, which covers no instance: write web@*.service");
    EXPECT_THAT(why("user@1000.service/pod@.service"), EndsWith("write user@1000.service/pod@*.service"));
}

TEST_F(KnownUnitsTest, TheScopeOfAMachineHasItsDashesEscaped) {
    EXPECT_THAT(why("machine-my-box.scope"), EndsWith("write machine-my\\x2dbox.scope"));
    EXPECT_THAT(why("machine-my-*.scope"), EndsWith("write machine-my\\x2d*.scope"));
    EXPECT_THAT(why("machine-my\\x2dbox.scope"), IsEmpty());
    running.units = {"machine-a-b.scope"}; // somebody has made it all the same
    EXPECT_THAT(why("machine-a-b.scope"), IsEmpty());
}

TEST_F(KnownUnitsTest, WithoutAnyFileNothingIsUnknown) {
    known = {};
    EXPECT_THAT(why("ngnix.service"), IsEmpty());
}

TEST(NearestName, IsNotFarAway) {
    const std::set<std::string> known{"ssh.service", "dbus.service", "cron.service"};
    EXPECT_EQ(nearestName("sshd.service", known), "ssh.service");
    EXPECT_EQ(nearestName("shs.service", known), "ssh.service");
    EXPECT_EQ(nearestName("corn.service", known), "cron.service");
    EXPECT_EQ(nearestName("dbus.socket", known), std::nullopt);
    EXPECT_EQ(nearestName("foo.service", known), std::nullopt);
    EXPECT_EQ(nearestName("", known), std::nullopt);
}

} // namespace
} // namespace filterd
