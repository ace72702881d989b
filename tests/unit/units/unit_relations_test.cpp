// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/socket_warnings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Rule rule(const std::string& target, const std::vector<std::string>& filters = {"f"}) {
    Rule rule{"/etc/filterd/a.queue", {target}, {}, {}};
    for (const auto& filter : filters)
        rule.ingress.push_back(*FilterName::parse(filter));
    return rule;
}

Rules rulesOf(const std::vector<Rule>& files) {
    Rules rules;
    EXPECT_TRUE(rules.setFiles(files));
    return rules;
}

// Where nothing runs.
const RunningUnitsOnDemand& nothing() {
    static const RunningUnitsOnDemand kNothing(nullptr);
    return kNothing;
}

std::vector<std::string> socketWarnings(const UnitRelations& relations, const std::vector<Rule>& rules) {
    return filterd::socketWarnings(relations, rulesOf(rules), nothing());
}
std::vector<std::string> unguardedSockets(const UnitRelations& relations, const std::string& service,
                                          const std::vector<Rule>& rules) {
    return filterd::unguardedSockets(relations, service, rulesOf(rules), nothing());
}

// Returns the relations of a socket that a target's .wants/ starts.
UnitRelations withSocket(const std::string& unit, const std::string& settings) {
    UnitRelations relations;
    relations.traits.started.insert(unit);
    noteSocket(relations, unit,
               {{"/x/" + unit, "[Unit]\nDescription=x\n[Socket]\n" + settings + "[Install]\n"}});
    return relations;
}

TEST(PrimaryUnit, IsWhatAnAliasLinksTo) {
    UnitRelations relations;
    relations.aliases = {{"dbus-web.service", "nginx.service"},
                         {"w@.service", "web@.service"},
                         {"one@1.service", "web@7.service"}};
    EXPECT_EQ(primaryUnit(relations, "dbus-web.service"), "nginx.service");
    EXPECT_EQ(primaryUnit(relations, "w@a-b.service"), "web@a-b.service");
    EXPECT_EQ(primaryUnit(relations, "one@1.service"), "web@7.service");
    EXPECT_EQ(primaryUnit(relations, "w@*.service"), "web@*.service") << "all instances of the template";
    for (const char* same : {"nginx.service", "web@1.service", "w*.service", "w@*", "w@1*.service",
                             "/system.slice/dbus-web.service", "*", "user@1000.service/dbus-web.service"})
        EXPECT_EQ(primaryUnit(relations, same), same);
}

TEST(PrimaryUnit, OfAUsersManagerHasAliasesOfItsOwn) {
    UnitRelations relations;
    relations.userAliases = {{"dbus.service", "dbus-broker.service"}};
    EXPECT_EQ(primaryUnit(relations, "user@1000.service/dbus.service"),
              "user@1000.service/dbus-broker.service");
    EXPECT_EQ(primaryUnit(relations, "user@*.service/dbus.service"), "user@*.service/dbus-broker.service");
    EXPECT_EQ(primaryUnit(relations, "dbus.service"), "dbus.service");
}

TEST(Sockets, AreHandedToAServiceThatAsksForThem) {
    auto relations = withSocket("shared.socket", "ListenStream=80\n");
    noteSocket(relations, "local.socket", {{"/x/local.socket", "[Socket]\nListenStream=/run/x\n"}});
    noteDemands(relations, "web.service",
                {{"/x/web.service", "[Service]\nSockets=gone.socket\nSockets=\n"},
                 {"/x/web.service.d/a.conf", "[Service]\nSockets=local.socket shared.socket\n[Install]\n"}});
    EXPECT_THAT(unguardedSockets(relations, "web.service", {rule("web.service")}),
                ElementsAre("shared.socket"));
    EXPECT_THAT(socketWarnings(relations, {rule("web.service")}), ElementsAre(HasSubstr("shared.socket")));
    EXPECT_THAT(socketWarnings(relations, {rule("web.service"), rule("shared.socket")}), IsEmpty());
}

TEST(Sockets, AreHandedToTheServiceOfTheirNameOrTheOneTheyName) {
    EXPECT_EQ(withSocket("web.socket", "ListenStream=80\n").sockets.begin()->first, "web.service");
    EXPECT_EQ(withSocket("web.socket", "ListenStream=80\nAccept=yes\n").sockets.begin()->first,
              "web@.service");
    EXPECT_EQ(
        withSocket("web.socket", "ListenDatagram=[::1]:53\nService=dns.service\n").sockets.begin()->first,
        "dns.service");
    EXPECT_EQ(withSocket("a@.socket", "ListenStream=127.0.0.1:%i\n").sockets.begin()->first, "a@.service");
    for (const char* other : {"ListenStream=/run/web\n", "ListenStream=@web\n", "ListenStream=%t/web\n",
                              "ListenFIFO=/run/x\n", "ListenStream=vsock::1\n", ""})
        EXPECT_THAT(withSocket("web.socket", other).sockets, IsEmpty()) << other;
}

TEST(Sockets, AcceptIsReadAsSystemdDoes) {
    const auto serviceWith = [](const std::string& accept) {
        return withSocket("web.socket", "ListenStream=80\n" + accept).sockets.begin()->first;
    };
    for (const char* yes : {"1", "yes", "Yes", "YES", "y", "true", "T", "On"})
        EXPECT_EQ(serviceWith(std::string("Accept=") + yes + "\n"), "web@.service") << yes;
    for (const char* no : {"0", "no", "N", "False", "f", "oFF"})
        EXPECT_EQ(serviceWith(std::string("Accept=yes\nAccept=") + no + "\n"), "web.service") << no;
    EXPECT_EQ(serviceWith("Accept=yes\nAccept=maybe\n"), "web@.service") << "systemd ignores the second";
    EXPECT_EQ(withSocket("a@1.socket", "ListenStream=80\nAccept=yes\n").sockets.begin()->first, "a@.service");
    EXPECT_EQ(withSocket("a@1.socket", "ListenStream=80\n").sockets.begin()->first, "a@1.service");
}

TEST(Sockets, AreWhatTheirDropInsMakeOfThem) {
    const auto with = [](const std::string& dropIn) {
        UnitRelations relations;
        noteSocket(relations, "web.socket",
                   {{"/x/web.socket", "[Socket]\nListenStream=/run/web\nListenStream=80\n"},
                    {"/x/web.socket.d/a.conf", "[Socket]\n" + dropIn}});
        return relations;
    };
    EXPECT_EQ(with("Service=dns.service\n").sockets.begin()->first, "dns.service");
    EXPECT_THAT(with("ListenStream=\nListenStream=/run/web\n").ipSockets, IsEmpty());
    EXPECT_THAT(with("ListenStream=\nListenStream=443\n").ipSockets, ElementsAre("web.socket"));
}

TEST(Sockets, WithoutARuleAreToldOfWithTheServicesRule) {
    const auto relations = withSocket("web.socket", "ListenStream=80\n");
    EXPECT_THAT(socketWarnings(relations, {rule("web.service")}),
                ElementsAre(AllOf(HasSubstr("/etc/filterd/a.queue: web.service"),
                                  HasSubstr("name web.socket in Unit="))));
    EXPECT_THAT(socketWarnings(relations, {}), IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("other.service")}), IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("web.service", {})}), IsEmpty()) << "the service is exempt";
    EXPECT_THAT(socketWarnings(relations, {rule("web.service"), rule("web.socket")}), IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("web.*")}), IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("web.service"), rule("web.socket", {})}), IsEmpty())
        << "meant so";
}

TEST(Sockets, OfEachConnectionStandForTheTemplate) {
    const auto relations = withSocket("web.socket", "ListenStream=80\nAccept=yes\n");
    EXPECT_EQ(socketWarnings(relations, {rule("web@*.service")}).size(), 1U);
    EXPECT_THAT(unguardedSockets(relations, "web@3-1.service", {rule("web@*.service")}),
                ElementsAre("web.socket"));
}

UnitRelations withSocketTemplate(const std::string& settings, const std::set<std::string>& started) {
    auto relations = withSocket("fo@.socket", settings);
    relations.traits.started = started;
    return relations;
}

TEST(Sockets, OfATemplateAreHandedToTheServiceOfTheSameInstance) {
    const auto relations = withSocketTemplate("ListenStream=127.0.0.1:%i\n", {"fo@1.socket"});
    EXPECT_THAT(unguardedSockets(relations, "fo@1.service", {rule("fo@*.service")}),
                ElementsAre("fo@1.socket"));
    EXPECT_THAT(unguardedSockets(relations, "fo@2.service", {rule("fo@*.service")}), IsEmpty())
        << "nothing starts it";
    for (const char* target : {"fo@*.service", "fo@1.service", "f*.service", "fo@[1-9].service"})
        EXPECT_THAT(socketWarnings(relations, {rule(target)}),
                    ElementsAre(AllOf(HasSubstr("fo@1.service is handed sockets of fo@1.socket"),
                                      HasSubstr("name fo@1.socket in Unit="))))
            << target;
    EXPECT_THAT(socketWarnings(relations, {rule("fo@*")}), IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("fo@2.service")}), IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("fo@*.service"), rule("fo@1.socket")}), IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("fo@*.service"), rule("fo@2.socket")}).size(), 1U);
}

TEST(Sockets, OfManyInstancesAreToldOfOnce) {
    const auto relations =
        withSocketTemplate("ListenStream=80\n", {"fo@1.socket", "fo@2.socket", "fo@3.socket", "fo@4.socket"});
    EXPECT_THAT(socketWarnings(relations, {rule("fo@*.service")}),
                ElementsAre(AllOf(HasSubstr("fo@.service is handed sockets of fo@*.socket"),
                                  HasSubstr("name fo@*.socket in Unit="))));
}

TEST(Sockets, OfATemplateThatTheServiceAsksForNeedNobodyElse) {
    auto relations = withSocketTemplate("ListenStream=80\n", {});
    noteDemands(relations, "fo@.service", {{"/x/fo@.service", "[Service]\nSockets=fo@%i.socket\n"}});
    EXPECT_THAT(socketWarnings(relations, {rule("fo@*.service")}),
                ElementsAre(HasSubstr("fo@.service is handed sockets of fo@*.socket")));
    EXPECT_THAT(socketWarnings(relations, {rule("fo@eth0.service")}),
                ElementsAre(HasSubstr("fo@eth0.service is handed sockets of fo@eth0.socket")));
}

TEST(Sockets, OfATemplateNameTheirServiceBySpecifiers) {
    const auto relations =
        withSocketTemplate("ListenStream=80\nService=%p-worker@%i.service\n", {"fo@1.socket"});
    EXPECT_THAT(socketWarnings(relations, {rule("fo-worker@*.service")}),
                ElementsAre(HasSubstr("fo-worker@1.service is handed sockets of fo@1.socket")));
    const auto plain = withSocketTemplate("ListenStream=80\nService=web.service\n", {"fo@1.socket"});
    EXPECT_THAT(socketWarnings(plain, {rule("web.service")}),
                ElementsAre(HasSubstr("web.service is handed sockets of fo@1.socket")));
}

TEST(Sockets, OfConnectionsAreToldOfForAnyInstance) {
    const auto relations = withSocket("tcp.socket", "ListenStream=80\nAccept=yes\n");
    for (const char* target : {"tcp@1.service", "tcp@*.service", "tcp@[a-c]*.service", "tcp@?.service"})
        EXPECT_THAT(socketWarnings(relations, {rule(target)}),
                    ElementsAre(HasSubstr("sockets of tcp.socket")))
            << target;
    const auto templated = withSocketTemplate("ListenStream=80\nAccept=yes\n", {"fo@1.socket"});
    EXPECT_THAT(socketWarnings(templated, {rule("fo@*.service")}),
                ElementsAre(HasSubstr("sockets of fo@*.socket")));
}

// Debian installs ssh.socket and starts ssh.service: nobody hands it a socket.
TEST(Sockets, ThatNothingStartsAreNotToldOf) {
    auto relations = withSocket("ssh.socket", "ListenStream=22\nAccept=no\n");
    relations.traits.started.clear();
    EXPECT_THAT(socketWarnings(relations, {rule("ssh.service")}), IsEmpty());

    auto started = relations;
    started.traits.started = {"ssh.socket"};
    EXPECT_THAT(socketWarnings(started, {rule("ssh.service")}), ElementsAre(HasSubstr("ssh.socket")));

    auto demanded = relations;
    noteDemands(demanded, "other.service", {{"/x/other.service", "[Unit]\nWants=a.service ssh.socket\n"}});
    EXPECT_THAT(socketWarnings(demanded, {rule("ssh.service")}), ElementsAre(HasSubstr("ssh.socket")));

    auto wanted = relations;
    noteDemands(wanted, "ssh.service", {{"/x/ssh.service", "[Service]\nSockets=ssh.socket\n"}});
    EXPECT_THAT(socketWarnings(wanted, {rule("ssh.service")}), ElementsAre(HasSubstr("ssh.socket")));

    const RunningUnitsOnDemand running([] { return RunningUnits{{"ssh.socket"}, {}}; });
    EXPECT_THAT(filterd::socketWarnings(relations, rulesOf({rule("ssh.service")}), running),
                ElementsAre(HasSubstr("ssh.socket")));
}

TEST(Sockets, ThatTakeABooleanAsSystemdDoes) {
    for (const char* yes : {"Yes", "TRUE", "on", "1", "y"})
        EXPECT_EQ(withSocket("web.socket", std::string("ListenStream=80\nAccept=") + yes + "\n")
                      .sockets.begin()
                      ->first,
                  "web@.service")
            << yes;
}

// systemd of a user opens them in the manager's own cgroup.
TEST(Sockets, OfUsersManagersAreOfItsInitScope) {
    EXPECT_THAT(
        socketWarnings({}, {rule("user@*.service/web.socket")}),
        ElementsAre(AllOf(HasSubstr("no packet meets"), HasSubstr("name user@*.service/init.scope"))));
    UnitRelations relations;
    relations.userSockets = {{"web.service", {"web.socket"}}};
    EXPECT_THAT(socketWarnings(relations, {rule("user@1000.service/web.service")}),
                ElementsAre(AllOf(HasSubstr("web.service is handed sockets of web.socket"),
                                  HasSubstr("name user@1000.service/init.scope in Unit="))));
    EXPECT_THAT(socketWarnings(relations, {rule("user@*.service/*")}), IsEmpty()) << "init.scope is covered";
    EXPECT_THAT(
        socketWarnings(relations, {rule("user@*.service/w*.service"), rule("user@*.service/init.scope")}),
        IsEmpty());
    EXPECT_THAT(socketWarnings(relations, {rule("user@*.service/other.service"), rule("web.service")}),
                IsEmpty());
    relations.userSockets = {{"a-web.service", {"web.socket"}}, {"w@.service", {"w@.socket"}}};
    EXPECT_THAT(socketWarnings(relations, {rule("user@*.service/web*")}), IsEmpty())
        << "the first * stands for a user alone";
    EXPECT_THAT(socketWarnings(relations, {rule("user@*.service/w@a*.service")}),
                ElementsAre(HasSubstr("w@.service is handed sockets")));
    EXPECT_THAT(
        socketWarnings(relations, {rule("user@2*.service/w@*.service"), rule("user@2*.service/init.scope")}),
        IsEmpty());
}

TEST(Sockets, OfUsersManagersAreToldOfToWhoAsksForTheService) {
    UnitRelations relations;
    relations.userSockets = {{"web.service", {"web.socket"}}, {"w@.service", {"w@.socket"}}};
    const auto unseen = [&](const std::string& unit, const std::vector<Rule>& rules) {
        return unseenSockets(relations, unit, rulesOf(rules), nothing());
    };
    for (const char* unit : {"user@1000.service/web.service", "user@1000.service/w@1.service"})
        EXPECT_THAT(unseen(unit, {rule("user@*.service/w*.service")}),
                    ElementsAre(HasSubstr("no rule covers user@1000.service/init.scope")))
            << unit;
    EXPECT_THAT(unseen("user@1000.service/web.service", {rule("user@*.service/*")}), IsEmpty());
    EXPECT_THAT(unseen("user@1000.service/other.service", {rule("user@*.service/o*")}), IsEmpty());
}

} // namespace
} // namespace filterd
