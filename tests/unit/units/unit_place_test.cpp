// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_place.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

class UnitPlaceTest : public testing::Test {
  protected:
    UnitPlaceTest() {
        relations.known = {{"nginx.service", "web@.service", "cpu.service", "user@.service", "shop-a.slice"},
                           {"app.service"}};
        relations.traits.slices = {{"shop.service", "shop-a.slice"}, {"user@.service", "user-%i.slice"}};
        relations.known.ofSystem.insert("shop.service");
    }

    std::string why(const std::string& path) {
        return whyNoCgroup(path, relations, RunningUnitsOnDemand([this] {
                               RunningUnits running{{"transient.service"}, {}};
                               running.hasCgroup = [this](const std::string& one) {
                                   return there.contains(one);
                               };
                               return running;
                           }));
    }

    UnitRelations relations;
    std::set<std::string> there;
};

TEST_F(UnitPlaceTest, IsWhereTheFilesSay) {
    EXPECT_EQ(placeOf("nginx.service", relations), "/system.slice/nginx.service");
    EXPECT_EQ(placeOf("shop.service", relations), "/shop.slice/shop-a.slice/shop.service");
    EXPECT_EQ(placeOf("my-web@1.service", relations),
              "/system.slice/system-my\\x2dweb.slice/my-web@1.service");
    EXPECT_EQ(placeOf("user@1000.service", relations), "/user.slice/user-1000.slice/user@1000.service");
    EXPECT_EQ(placeOf("cpu.service", relations), "/system.slice/_cpu.service");
    EXPECT_EQ(placeOf("shop-a.slice", relations), "/shop.slice/shop-a.slice");
    EXPECT_EQ(placeOf("init.scope", relations), "/init.scope");
    EXPECT_THAT(withSlicesAbove("a-b-c.slice"), ElementsAre("a-b-c.slice", "a-b.slice", "a.slice"));
    EXPECT_EQ(sliceOf("app.service", relations, true), "app.slice");
    relations.userSlices = {{"app.service", "mine.slice"}};
    EXPECT_EQ(sliceOf("app.service", relations, true), "mine.slice");
}

TEST_F(UnitPlaceTest, OfWhatMayComeNothingIsTold) {
    for (const char* path :
         {"/", "/system.slice", "/system.slice/nginx.service", "/system.slice/nginx.service/own/group",
          "/system.slice/system-web.slice/web@7.service", "/shop.slice/shop-a.slice/shop.service",
          "/user.slice/user-1000.slice/session-3.scope", "/machine.slice/machine-box.scope", "/init.scope",
          "/system.slice/docker-12ab.scope/x",
          "/user.slice/user-1000.slice/user@1000.service/app.slice/app.service",
          "/user.slice/user-1000.slice/user@1000.service/init.scope", "/system.slice/_cpu.service",
          "/system.slice/transient.service"})
        EXPECT_THAT(why(path), IsEmpty()) << path;
}

TEST_F(UnitPlaceTest, OfWhatCannotComeTheNearestIsTold) {
    EXPECT_THAT(why("/sytem.slice/nginx.service"), EndsWith("did you mean system.slice?"));
    EXPECT_THAT(why("/System.slice/nginx.service"), EndsWith("did you mean system.slice?"));
    EXPECT_THAT(why("/system.slic/nginx.service"), EndsWith("did you mean /system.slice?"));
    EXPECT_THAT(why("/system/nginx.service"), EndsWith("did you mean /system.slice?"));
    EXPECT_THAT(why("/system.slice/nginx"), EndsWith("did you mean /system.slice/nginx.service?"));
    EXPECT_THAT(why("/system.slice/ngnix.service"), EndsWith("did you mean nginx.service?"));
    EXPECT_THAT(why("/nginx.service"), EndsWith("systemd puts nginx.service at /system.slice/nginx.service"));
    EXPECT_THAT(why("/system.slice/shop.service"),
                EndsWith("systemd puts shop.service at /shop.slice/shop-a.slice/shop.service"));
    EXPECT_THAT(why("/shop-a.slice/shop.service"), EndsWith("at /shop.slice/shop-a.slice"));
    EXPECT_THAT(why("/system.slice/cpu.service"),
                EndsWith("systemd names the cgroup of cpu.service /system.slice/_cpu.service"));
    EXPECT_THAT(why("/user.slice/user@1000.service"),
                HasSubstr("/user.slice/user-1000.slice/user@1000.service"));
    EXPECT_THAT(why("/user.slice/user-1000.slice/user@1000.service/app.slice/ap.service"),
                HasSubstr("covers no unit of a file for all users"));
    EXPECT_THAT(why("/docker/12ab"), HasSubstr("'docker' is no unit's name"));
}

TEST_F(UnitPlaceTest, OfWhatIsThereNothingIsTold) {
    there = {"/docker", "/odd.slice", "/odd.slice/nginx.service"};
    for (const char* path : {"/docker/12ab", "/odd.slice/nginx.service"})
        EXPECT_THAT(why(path), IsEmpty()) << path;
}

} // namespace
} // namespace filterd
