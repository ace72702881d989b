// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_traits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

UnitTraits traitsOf(const std::string& unit, const std::string& text) {
    UnitTraits traits;
    EXPECT_TRUE(mayTellTraits(text));
    noteTraits(traits, unit, {{"/x/" + unit, text}});
    return traits;
}

TEST(UnitTraits, AreWhatFilesSay) {
    EXPECT_THAT(traitsOf("a.service", "[Service]\nFileDescriptorStoreMax=8\n").keepsSockets,
                ElementsAre("a.service"));
    EXPECT_THAT(
        traitsOf("a.service", "[Service]\nFileDescriptorStoreMax=8\nFileDescriptorStoreMax=0\n").keepsSockets,
        IsEmpty());
    EXPECT_THAT(traitsOf("a.service", "[Service]\nPrivateNetwork=Yes\n").ownNetwork,
                ElementsAre("a.service"));
    EXPECT_THAT(traitsOf("a.service", "[Service]\nPrivateNetwork=no\n").ownNetwork, IsEmpty());
    EXPECT_THAT(traitsOf("wg-quick@.service", "[Service]\nExecStart=/usr/bin/wg-quick up %i\n").wireGuard,
                ElementsAre("wg-quick@.service"));
    EXPECT_THAT(traitsOf("a.service", "[Service]\nSlice=web.slice\n").slices,
                ElementsAre(Pair("a.service", "web.slice")));
}

TEST(UnitTraits, TellFileSystemsWhoseServersTheKernelTalksTo) {
    const auto mounts = [](const std::string& settings) {
        return traitsOf("m.mount", "[Mount]\nWhere=/m\n" + settings).networkMounts;
    };
    EXPECT_THAT(mounts("Type=nfs4\nWhat=server:/x\n"), ElementsAre(Pair("m.mount", "nfs4")));
    EXPECT_THAT(mounts("Type=cifs\nWhat=//server/x\n"), ElementsAre(Pair("m.mount", "cifs")));
    EXPECT_THAT(mounts("What=server:/x\n"), ElementsAre(Pair("m.mount", "nfs")));
    EXPECT_THAT(mounts("What=//server/x\n"), ElementsAre(Pair("m.mount", "cifs")));
    EXPECT_THAT(mounts("What=/dev/disk/by-path/pci-0000:00:/x\nType=ext4\n"), IsEmpty());
    EXPECT_THAT(mounts("What=/dev/sda1\n"), IsEmpty());
    EXPECT_THAT(mounts("Type=fuse.sshfs\nWhat=me@server:/x\n"), IsEmpty());
}

TEST(Resolver, IsWhoAnswersForOtherPrograms) {
    const std::set<std::string> both{"systemd-resolved.service", "nscd.service"};
    const std::set<std::string> resolved{"systemd-resolved.service"};
    EXPECT_EQ(resolverIn("passwd: files\nhosts: files resolve [!UNAVAIL=return] dns # x\n", resolved),
              "systemd-resolved.service");
    EXPECT_EQ(resolverIn("hosts: files dns # resolve\n", resolved), "");
    EXPECT_EQ(resolverIn("hosts: files resolve dns\n", {}), "") << "nobody is there to be asked";
    EXPECT_EQ(resolverIn("hosts: files dns\n", both), "nscd.service");
}

} // namespace
} // namespace filterd
