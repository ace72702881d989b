// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/misplaced_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> misplaced(const std::string& text) {
    return misplacedSettings({"/x/web.service", text});
}

TEST(MisplacedSettings, AreToldWithTheirLine) {
    EXPECT_THAT(
        misplaced("[Unit]\n[X-filterd]\nIngressFilter=a\n"),
        ElementsAre("/x/web.service:2: section [X-filterd] is not read by filterd: write [X-Filterd]"));
    EXPECT_THAT(misplaced("[Filterd]\n"), ElementsAre(HasSubstr(":1: section [Filterd] is not read")));
    EXPECT_THAT(misplaced("[X-Filterd ]\n"), ElementsAre(HasSubstr("section [X-Filterd ] is not read")));
    EXPECT_THAT(misplaced("[x-filterd]\n"), ElementsAre(HasSubstr("section [x-filterd] is not read")));
    EXPECT_THAT(
        misplaced("[Service]\nExecStart=x\nIngressFilter=a\nEgressFilter=b\n"),
        ElementsAre(
            "/x/web.service:3: IngressFilter= in [Service] is read by nobody: write it below [X-Filterd]",
            StartsWith("/x/web.service:4: EgressFilter= in [Service]")));
    EXPECT_THAT(misplaced("[Unit]\nLogOnly=yes\n"), ElementsAre(HasSubstr("LogOnly= in [Unit]")));
    for (const char* near :
         {"X-Filter", "X-Queue", "X-Fliterd", "X-FILTERD", "XFilterd", "Queue", "X_Filterd"})
        EXPECT_THAT(misplaced(std::string("[") + near + "]\nIngressFilter=a\n"),
                    ElementsAre(HasSubstr(std::string("section [") + near + "] is not read by filterd")));
}

TEST(MisplacedSettings, AByteOrderMarkHidesNoSection) {
    EXPECT_THAT(misplaced("\xef\xbb\xbf[X-Filterd]\nIngressFilter=a\n"), IsEmpty());
    EXPECT_THAT(misplaced("\xef\xbb\xbf[X-filterd]\n"), ElementsAre(HasSubstr(":1: section [X-filterd]")));
}

TEST(MisplacedSettings, AreToldWhereNoSectionIsRead) {
    EXPECT_THAT(misplaced("[Service]\n[X-Filterd\nIngressFilter=a\n"),
                ElementsAre(StartsWith("/x/web.service:2: the header of a section that is not closed")));
    EXPECT_THAT(
        misplaced("# x\nIngressFilter=a\n[Service]\n"),
        ElementsAre("/x/web.service:2: IngressFilter= before the first section is read by nobody: write "
                    "it below [X-Filterd]"));
    EXPECT_THAT(
        misplaced("[Service]\negressfilter=a\n"),
        ElementsAre(EndsWith("egressfilter= in [Service] is read by nobody: write EgressFilter= below "
                             "[X-Filterd]")));
    EXPECT_THAT(misplaced("[Service]\nEgresFilters = a\n"), ElementsAre(HasSubstr("write EgressFilter=")));
    EXPECT_THAT(misplaced("[Service]\nExecStart=x \\\n[X-Filterd]\nIngressFilter=a\n"),
                ElementsAre(HasSubstr("IngressFilter= in [Service]")));
}

TEST(MisplacedSettings, OfASectionAboutPacketsAreToldIfTheKeysAreOurs) {
    for (const char* section : {"X-Firewall", "X-PacketFilter", "X-BPF", "X-Network"}) {
        EXPECT_THAT(
            misplaced(std::string("[") + section + "]\nIngressFilter=a\n"),
            ElementsAre(HasSubstr(std::string("IngressFilter= in [") + section + "] is read by nobody")));
        EXPECT_THAT(misplaced(std::string("[") + section + "]\nZone=public\n"), IsEmpty());
    }
}

TEST(MisplacedSettings, AreNotWhatIsInItsPlaceOrAnothersOwn) {
    for (const char* good :
         {"[X-Filterd]\nIngressFilter=a\n", "[Service]\nIPIngressFilterPath=/x\n", "[X-Filterd-Notes]\nx=1\n",
          "[X-Other]\nIngressFilter=a\n", "[X-Disabled]\nIngressFilter=a\n",
          "[X-Filterd-Off]\nIngressFilter=a\n", "[Service]\nExecStart=x \\\nIngressFilter=a\n",
          "[Service]\nSystemCallFilter=@system\nLogFilterPatterns=x\n[Socket]\nAccept=no\n",
          "[Unit]\nDescription=filterd\nOnFailure=x.service\n"})
        EXPECT_THAT(misplaced(good), IsEmpty()) << good;
}

TEST(ImpossibleDemands, AreThoseOfNamesThatDoNotFit) {
    const std::vector<ConfigText> files{
        {"/x/f", "[Unit]\nRequires=filterd-ensure@%n.service\nAfter=filterd-ensure@%n.service\n"}};
    EXPECT_THAT(impossibleDemands(std::string(224, 'x') + ".service", files), IsEmpty());
    EXPECT_THAT(impossibleDemands(std::string(225, 'x') + ".service", files),
                ElementsAre(StartsWith("/x/f:2: Requires= is ignored by systemd")));
}

TEST(MisplacedFiles, AreToldFromWhatEditorsLeave) {
    for (const char* left : {"x.queue~", ".x.queue.swp", "x.queue.bak", "x.queue.dpkg-old", "#x.queue#",
                             "x.conf.rpmnew", "x.queue.disabled"})
        EXPECT_TRUE(isLeftBehind(left)) << left;
    for (const char* meant : {"x.que", "x.Queue", "x.cnf", "nginx.servce"})
        EXPECT_FALSE(isLeftBehind(meant)) << meant;
}

TEST(MisplacedFiles, HaveTheNameThatTheyNearlyHave) {
    for (const char* name : {"x.que", "x.Queue", "x.QUEUE", "x.queues", "x.qeue"})
        EXPECT_EQ(nearlySuffix(name), ".queue") << name;
    EXPECT_EQ(nearlySuffix("x.filtr"), ".filter");
    for (const char* name : {"x.queue", "x.filter", "x.conf", "x", "x.network"})
        EXPECT_THAT(nearlySuffix(name), IsEmpty()) << name;
    const std::set<std::string> known{"nginx.service", "ssh.socket"};
    for (const char* name : {"nginx", "nginx.servce", "nginx.sevice", "ngnix.service"})
        EXPECT_EQ(unitMeant(name, known), "nginx.service") << name;
    EXPECT_THAT(unitMeant("other", known), IsEmpty());
}

} // namespace
} // namespace filterd
