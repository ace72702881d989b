// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/cgroup_tree.hpp"
#include "edge/host/running_units.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(MountUnit, IsNamedAsSystemdEscapesIt) {
    EXPECT_EQ(mountUnitOf("/"), "-.mount");
    EXPECT_EQ(mountUnitOf("/srv/my-data"), "srv-my\\x2ddata.mount");
    EXPECT_EQ(mountUnitOf("//mnt//a b/"), "mnt-a\\x20b.mount");
    EXPECT_EQ(mountUnitOf("/.hidden/x.y_z:1"), "\\x2ehidden-x.y_z:1.mount");
    EXPECT_EQ(mountUnitOf("/\xc3\xa4"), "\\xc3\\xa4.mount");
}

TEST(RunningUnits, AreThoseWithACgroupAndThoseOfMounts) {
    const TempDirectory temp;
    std::filesystem::create_directories(temp.path() / "cgroup/system.slice/web.service");
    temp.write("mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                            "23 22 0:5 / /mnt/a\\040b rw,relatime shared:1 - nfs4 server:/x rw\n"
                            "short line\n");
    auto tree = CgroupFs::create(temp.path() / "cgroup");
    ASSERT_TRUE(tree);
    const auto running = runningUnits(*tree, temp.path() / "mountinfo");
    EXPECT_THAT(running.units, ElementsAre("-.slice", "system.slice", "web.service"));
    EXPECT_THAT(running.mounts, ElementsAre(Pair("-.mount", "ext4"), Pair("mnt-a\\x20b.mount", "nfs4")));
}

} // namespace
} // namespace filterd
