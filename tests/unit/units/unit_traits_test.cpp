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
    EXPECT_THAT(traitsOf("wg-quick@.service", "[Service]\nExecStart=/usr/bin/wg-quick up %i\n").tunnels,
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

std::set<std::string> madeBy(const std::string& command) {
    UnitTraits traits;
    noteTraits(traits, "a.service", {{"/x", "[Service]\nExecStart=" + command + "\n"}});
    return traits.madeUnits["a.service"];
}

TEST(UnitTraits, WhatACommandStartsMayBeInAUnitOfItsOwn) {
    const std::vector<std::pair<std::string, std::string>> starts{
        {"systemd-run --quiet curl x", "run-*.service"},
        {"-/usr/bin/systemd-run --scope curl x", "run-*.scope"},
        {"systemd-run --unit=job curl x", "job.service"},
        {"systemd-run -u job-%i.service curl x", "job-*.service"},
        {"/usr/bin/docker run --rm nginx", "docker-*.scope"},
        {"@/usr/bin/docker mydocker -H unix:///x start -a nginx", "docker-*.scope"},
        {"docker --debug compose -f /etc/x.yml up", "docker-*.scope"},
        {"docker-compose up", "docker-*.scope"},
        {"podman run --cgroups=no-conmon nginx", "libpod-*.scope"},
        {"podman kube play /etc/x.yml", "libpod-*.scope"},
        {"nerdctl run nginx", "nerdctl-*.scope"},
        {"systemd-nspawn -D /srv/x", "machine-*.scope"},
        {"virsh start guest", "machine-*.scope"},
        {"/bin/sh -c 'docker rm -f x; exec docker run x'", "docker-*.scope"},
        {"/bin/bash -euc \"if true; then A=1 docker run x; fi\"", "docker-*.scope"},
        {"/usr/bin/env A=1 timeout 5 docker run x", "docker-*.scope"},
        {"/bin/true ; docker run x", "docker-*.scope"}};
    for (const auto& [command, unit] : starts)
        EXPECT_THAT(madeBy(command), ElementsAre(unit)) << command;
    for (const auto* quiet :
         {"echo systemd-run docker run x", "docker stop x", "docker rm run", "docker ps",
          "podman run --cgroups=split x", "podman run --cgroups disabled x",
          "systemd-nspawn --keep-unit -D /srv/x", "virsh destroy guest", "systemd-run -M box curl x",
          "/opt/docker-run x", "sh -c 'echo docker run x'", "sh docker run x"})
        EXPECT_THAT(madeBy(quiet), IsEmpty()) << quiet;
}

TEST(UnitTraits, WhatACommandHasTheKernelSendIsOfNoUnit) {
    const auto traits = [](const std::string& command) {
        return traitsOf("a.service", "[Service]\nSlice=x.slice\nExecStartPre=" + command + "\n");
    };
    for (const auto* tunnel : {"ip link add wg0 type wireguard", "ip -4 l a dev wg0 type wireguard",
                               "ip tunnel add t0 mode gre remote x", "wg setconf wg0 /etc/x",
                               "bash -c 'wg-quick up wg0'", "ip netns exec a wg-quick up wg0"})
        EXPECT_THAT(traits(tunnel).tunnels, ElementsAre("a.service")) << tunnel;
    for (const auto* quiet :
         {"echo wg-quick up wg0", "wg-quick down wg0", "wg show", "ip link add d0 type dummy",
          "ip link del wg0 type wireguard", "wireguard-go wg0"})
        EXPECT_THAT(traits(quiet).tunnels, IsEmpty()) << quiet;
    for (const auto& [mount, type] :
         std::vector<std::pair<std::string, std::string>>{{"mount -t nfs server:/x /m", "nfs"},
                                                          {"mount -o ro -t nfs4 server:/x /m", "nfs4"},
                                                          {"mount //server/x /m", "cifs"},
                                                          {"mount --types=cifs //server/x /m", "cifs"},
                                                          {"mount -a -t nfs,nfs4", "nfs"},
                                                          {"mount.cifs //server/x /m", "cifs"},
                                                          {"/sbin/mount.nfs4 server:/x /m", "nfs4"}})
        EXPECT_THAT(traits(mount).networkMounts, ElementsAre(Pair("a.service", type))) << mount;
    for (const auto* quiet :
         {"mount -t tmpfs tmpfs /m", "mount --bind /a /m", "echo mount -t nfs server:/x", "umount /m"})
        EXPECT_THAT(traits(quiet).networkMounts, IsEmpty()) << quiet;
    EXPECT_THAT(traits("sh -c 'nfsdctl autostart || rpc.nfsd 8'").kernelServers, ElementsAre("a.service"));
    EXPECT_THAT(traits("rpc.nfsd 0").kernelServers, IsEmpty());
}

TEST(UnitTraits, AnEmptyAssignmentTakesCommandsBack) {
    EXPECT_THAT(
        traitsOf("a.service", "[Service]\nExecStart=docker run x\nExecStart=\nExecStart=sleep 9\n").madeUnits,
        IsEmpty());
    EXPECT_THAT(traitsOf("a.service", "[Service]\nPAMName=login\nPAMName=\n").madeUnits, IsEmpty());
    EXPECT_TRUE(mayTellTraits("[Service]\nExecStart=\nExecStart=sleep 9\n"));
}

TEST(UnitTraits, ALineOfAnyLengthIsRead) {
    std::string line = "env";
    for (int i = 0; i < 100000; ++i)
        line += " env";
    EXPECT_THAT(madeBy(line), IsEmpty());
    EXPECT_THAT(madeBy(std::string(100000, '\'')), IsEmpty());
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
