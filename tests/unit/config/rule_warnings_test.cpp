// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/rule_warnings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class RuleWarningsTest : public testing::Test {
  protected:
    RuleWarningsTest() {
        define("port@", "Object=/usr/lib/filterd/bpf/port.bpf.o\n[Parameters]\ntcp_ports=%i\n");
        define("udp@", "Object=/usr/lib/filterd/bpf/port.bpf.o\n[Parameters]\nudp_ports=%i\n");
        define("remote-port@", "Object=/usr/lib/filterd/bpf/port.bpf.o\n[Parameters]\nremote_tcp_ports=%i\n");
        define("none", "Object=/usr/lib/filterd/bpf/port.bpf.o\n");
        define("listed", "Object=/usr/lib/filterd/bpf/port.bpf.o\n[Parameters]\ntcp_ports=22\nlisted=deny\n");
        define("dns@", "Object=/usr/lib/filterd/bpf/dns.bpf.o\n[Parameters]\ndomains=%d\n");
        define("count", "Object=/usr/lib/filterd/bpf/count.bpf.o\n");
    }

    void define(const std::string& name, const std::string& text) {
        filters.add(name, {ConfigText{"/etc/filterd/" + name + ".filter", "[Filter]\n" + text}, {}});
    }

    static Rule rule(const std::string& target, const std::vector<std::string>& ingress,
                     const std::vector<std::string>& egress = {}) {
        Rule rule{.source = "/etc/a.queue", .targets = {target}, .ingress = {}, .egress = {}};
        for (const auto& name : ingress)
            rule.ingress.push_back(*FilterName::parse(name));
        for (const auto& name : egress)
            rule.egress.push_back(*FilterName::parse(name));
        return rule;
    }

    std::vector<std::string> warnings(const std::vector<Rule>& files) {
        Rules rules;
        EXPECT_TRUE(rules.setFiles(files));
        const RunningUnitsOnDemand now([this] { return running; });
        return ruleWarnings(rules, {units, KnownDefinitions(filters), now});
    }

    std::vector<std::string> ofQueue(const std::vector<std::string>& ingress) {
        return queueWarnings(rule("w.service", ingress), KnownDefinitions(filters));
    }

    FilterSources filters;
    UnitRelations units;
    RunningUnits running;
};

TEST_F(RuleWarningsTest, TwoListsOfPortsWithoutACommonOnePassNothing) {
    EXPECT_THAT(ofQueue({"port@80", "port@443"}),
                ElementsAre(AllOf(
                    StartsWith("/etc/a.queue: 'port@80' and 'port@443' in the ingress queue of w.service"),
                    HasSubstr("let no TCP, UDP or SCTP packet pass together"), HasSubstr("port@80,443"))));
    EXPECT_THAT(ofQueue({"count", "port@80", "count", "udp@80"}).size(), 1U);
    EXPECT_THAT(queueWarnings(rule("w.service", {}, {"port@80", "port@443"}), KnownDefinitions(filters)),
                ElementsAre(HasSubstr("egress queue")));
}

TEST_F(RuleWarningsTest, AFilterThatNeedsBothQueuesStandsInBoth) {
    const KnownDefinitions known(filters, [](const FilterName& name) { return name.text() == "count"; });
    EXPECT_THAT(
        queueWarnings(rule("w.service", {"count"}), known),
        ElementsAre(AllOf(StartsWith("/etc/a.queue: the filter 'count' stands only in the ingress queue of "
                                     "w.service and needs both"),
                          HasSubstr("add EgressFilter=count"))));
    EXPECT_THAT(queueWarnings(rule("w.service", {"port@80"}, {"count"}), known),
                ElementsAre(HasSubstr("add IngressFilter=count")));
    EXPECT_THAT(queueWarnings(rule("w.service", {"port@80", "count"}, {"count"}), known), IsEmpty());
    EXPECT_THAT(queueWarnings(rule("w.service", {"count"}), KnownDefinitions(filters)), IsEmpty());
    auto ofBus = rule("w.service", {"count"});
    ofBus.source = kBusSource;
    EXPECT_THAT(queueWarnings(ofBus, known),
                ElementsAre(AllOf(StartsWith("bus: "), HasSubstr("--egress count"))));
}

TEST_F(RuleWarningsTest, ListsThatMeetAreFine) {
    for (const auto& queue : std::vector<std::vector<std::string>>{{"port@80"},
                                                                   {"port@80", "port@80"},
                                                                   {"port@1-100", "port@80"},
                                                                   {"port@80", "remote-port@443"},
                                                                   {"port@80", "listed"},
                                                                   {"port@80", "count"},
                                                                   {"port@80", "undefined"},
                                                                   {}})
        EXPECT_THAT(ofQueue(queue), IsEmpty()) << testing::PrintToString(queue);
}

TEST_F(RuleWarningsTest, ListsOfPacketRulesAreReadAsFarAsTheyAreSimple) {
    define("web", "Rule=allow tcp dst port 80 or 443\n");
    define("ssh", "Rule=allow tcp port 22\n");
    define("answers", "Rule=allow tcp src port 443\n");
    define("more", "Rule=allow tcp port 22\nRule=allow net 10.0.0.0/8\n");
    define("open", "Rule=deny tcp port 22\nDefault=allow\n");
    EXPECT_THAT(ofQueue({"web", "ssh"}), IsEmpty()) << "from port 22 to 80 something passes";
    EXPECT_THAT(ofQueue({"web", "port@22"}), ElementsAre(HasSubstr("'web' and 'port@22'")));
    EXPECT_THAT(ofQueue({"web", "port@443"}), IsEmpty());
    EXPECT_THAT(ofQueue({"answers", "port@22"}), IsEmpty());
    EXPECT_THAT(ofQueue({"web", "udp@80"}), ElementsAre(HasSubstr("'web' and 'udp@80'")));
    EXPECT_THAT(ofQueue({"more", "port@80"}), IsEmpty());
    EXPECT_THAT(ofQueue({"open", "port@80"}), IsEmpty());
}

TEST_F(RuleWarningsTest, AListWithoutPortsDropsAll) {
    EXPECT_THAT(ofQueue({"none"}),
                ElementsAre(AllOf(HasSubstr("'none' lists no port"), HasSubstr("/etc/filterd/none.filter"))));
    EXPECT_THAT(ofQueue({"port@"}), IsEmpty()) << "told as what it is, a template";
}

TEST_F(RuleWarningsTest, WhatUnitsKeepOrTheKernelSendsIsToldOf) {
    units.traits.keepsSockets = {"kept.service", "k2.service", "k3.service", "k4.service"};
    units.traits.tunnels = {"wg-quick@.service"};
    units.traits.networkMounts = {{"mnt-nfs.mount", "nfs4"}};
    running.mounts = {{"mnt-by\\x2dhand.mount", "cifs"}, {"home.mount", "ext4"}};
    EXPECT_THAT(warnings({rule("kept.service", {"port@80"})}),
                ElementsAre(AllOf(StartsWith("/etc/a.queue: kept.service: sockets kept"),
                                  HasSubstr("stop and start"))));
    EXPECT_THAT(warnings({rule("k*", {"port@80"})}),
                ElementsAre(HasSubstr("k2.service, k3.service, k4.service and 1 more: sockets kept")));
    EXPECT_THAT(warnings({rule("wg-quick@*.service", {"port@80"})}),
                ElementsAre(AllOf(HasSubstr("WireGuard"), HasSubstr("nftables"))));
    for (const char* one : {"wg-quick@wg0.service", "wg-quick@eth[01].service", "*@wg0.service"})
        EXPECT_THAT(warnings({rule(one, {"port@80"})}), ElementsAre(HasSubstr("WireGuard"))) << one;
    EXPECT_THAT(warnings({rule("wg-quick@wg0.service", {}), rule("wg-quick@*.service", {"port@80"})}),
                ElementsAre(HasSubstr("wg-quick@.service: the packets")));
    EXPECT_THAT(warnings({rule("mnt-nfs.mount", {"port@80"})}),
                ElementsAre(HasSubstr("mnt-nfs.mount: the kernel itself talks")));
    EXPECT_THAT(warnings({rule("mnt-by\\x2dhand.mount", {"port@80"})}),
                ElementsAre(HasSubstr("the kernel itself")));
    EXPECT_THAT(warnings({rule("home.mount", {"port@80"})}), IsEmpty());
    EXPECT_THAT(warnings({rule("kept.service", {})}), IsEmpty()) << "exempt";
    EXPECT_THAT(warnings({rule("other.service", {"port@80"})}), IsEmpty());
}

TEST_F(RuleWarningsTest, WhatAServiceStartsInOtherUnitsIsToldOf) {
    const auto note = [this](const std::string& unit, const std::string& text) {
        noteTraits(units.traits, unit, {{"/x/" + unit, "[Service]\n" + text}});
    };
    note("docker.service", "ExecStart=/usr/bin/dockerd -H fd://\n");
    note("kiosk@.service", "PAMName=login\n");
    note("user@.service", "PAMName=systemd-user\n");
    note("nfs-server.service", "ExecStart=/usr/sbin/rpc.nfsd\n");
    note("docker-ps.service", "ExecStart=/usr/bin/docker ps --of dockerd\n");
    EXPECT_THAT(warnings({rule("docker.service", {"port@80"})}),
                ElementsAre(AllOf(HasSubstr("docker.service: the commands, containers"),
                                  HasSubstr("docker-*.scope"))));
    EXPECT_THAT(warnings({rule("docker.service", {"port@80"}), rule("docker-*.scope", {"port@80"})}),
                IsEmpty());
    EXPECT_THAT(warnings({rule("docker.service", {"port@80"}), rule("system.slice", {"port@80"})}), IsEmpty())
        << "their slice has a queue";
    EXPECT_THAT(warnings({rule("kiosk@1.service", {"port@80"})}), ElementsAre(HasSubstr("session-*.scope")));
    EXPECT_THAT(warnings({rule("nfs-server.service", {"port@80"})}),
                ElementsAre(HasSubstr("within the kernel")));
    for (const char* quiet : {"docker-ps.service", "user@1000.service", "other.service"})
        EXPECT_THAT(warnings({rule(quiet, {"port@80"})}), IsEmpty()) << quiet;
    EXPECT_THAT(warnings({rule("docker.service", {})}), IsEmpty()) << "exempt";
}

TEST_F(RuleWarningsTest, NamesThatAnotherServiceResolvesAreToldOf) {
    EXPECT_THAT(warnings({rule("web.service", {}, {"dns@example_org"})}), IsEmpty());
    units.traits.resolver = "systemd-resolved.service";
    EXPECT_THAT(warnings({rule("web.service", {}, {"dns@example_org"})}),
                ElementsAre(AllOf(HasSubstr("names are resolved by systemd-resolved.service"),
                                  HasSubstr("'dns@example_org' does not see"))));
    EXPECT_THAT(warnings({rule("web.service", {}, {"remote-port@53"})}),
                ElementsAre(HasSubstr("'remote-port@53' does not see")));
    EXPECT_THAT(warnings({rule("web.service", {}, {"remote-port@443"})}), IsEmpty());
    EXPECT_THAT(warnings({rule("web.service", {"dns@example_org"})}), IsEmpty()) << "no question comes in";
    EXPECT_THAT(warnings({rule("systemd-resolved.service", {}, {"dns@example_org"})}), IsEmpty());
    EXPECT_THAT(warnings({rule("web.service", {}, {"dns@example_org"}),
                          rule("systemd-resolved.service", {}, {"dns@example_org"})}),
                IsEmpty());
}

TEST_F(RuleWarningsTest, AnExplanationNamesWhatConcernsTheUnit) {
    units.traits.ownNetwork = {"alone.service", "pod@.service"};
    units.traits.keepsSockets = {"kept.service"};
    const auto unseen = [this](const std::string& unit) {
        Rules rules;
        EXPECT_TRUE(rules.setFiles({rule("*", {"port@80"})}));
        return unseenTraffic(unit, *rules.covering(unit).front().rule, rules,
                             {units, KnownDefinitions(filters), RunningUnitsOnDemand(nullptr)});
    };
    EXPECT_THAT(unseen("alone.service"),
                ElementsAre(AllOf(HasSubstr("PrivateNetwork="), HasSubstr("say to each other"))));
    EXPECT_THAT(unseen("pod@1.service"), ElementsAre(HasSubstr("PrivateNetwork=")));
    units.traits.madeUnits = {{"docker.service", {"docker-*.scope"}}};
    EXPECT_THAT(unseen("docker.service"), IsEmpty()) << "the rule covers these, too";
    EXPECT_THAT(unseen("kept.service"), ElementsAre(HasSubstr("FileDescriptorStoreMax=")));
    EXPECT_THAT(unseen("web.service"), IsEmpty());
}

} // namespace
} // namespace filterd
