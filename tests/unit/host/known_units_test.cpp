// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What the files of units tell of units besides rules.

#include "config_files_bed.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

using UnitsOfFiles = test::ConfigFilesBed;

TEST_F(UnitsOfFiles, DropInsOfAnInstanceTellOfIt) {
    write("units-lib/web@.service", "[Service]\nSlice=shop.slice\n");
    write("units-etc/web@1.service.d/x.conf", "[Service]\nSlice=other.slice\n");
    EXPECT_EQ(read().units.traits.slices,
              (std::map<std::string, std::string>{{"web@.service", "shop.slice"},
                                                  {"web@1.service", "other.slice"}}));
}

TEST_F(UnitsOfFiles, KnowsTheUnitsOfFilesAndWhatStartsThem) {
    write("units-lib/web@.service", "[Service]\nSlice=shop.slice\n");
    write("units-lib/ssh.socket", "[Socket]\nListenStream=22\n");
    write("units-lib/own@.service", "[Service]\nSlice=%p-%i.slice\n");
    write("units-lib/my.service", "[Service]\nSlice=x-%N.slice\n");
    write("user-lib/app.service", "[Service]\n");
    std::filesystem::create_directories(temp_.path() / "units-etc/sockets.target.wants");
    std::filesystem::create_symlink("web@.service", temp_.path() / "units-lib/www@.service");
    std::filesystem::create_symlink("/dev/null", temp_.path() / "units-etc/gone.service");
    std::filesystem::create_symlink("../ssh.socket",
                                    temp_.path() / "units-etc/sockets.target.wants/ssh.socket");
    const auto units = read().units;
    EXPECT_THAT(units.known.ofSystem, testing::ElementsAre("gone.service", "my.service", "own-*.slice",
                                                           "own@.service", "shop.slice", "ssh.socket",
                                                           "web@.service", "www@.service", "x-my.slice"));
    EXPECT_THAT(units.known.ofUsers, testing::ElementsAre("app.service"));
    EXPECT_THAT(units.traits.started, testing::ElementsAre("ssh.socket"));
}

} // namespace
} // namespace filterd
