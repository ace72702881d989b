// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Files of units: links, aliases, drop-ins, and what stands where nobody reads it.

#include "config_files_bed.hpp"

#include <gmock/gmock.h>

namespace filterd {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::StartsWith;

using UnitsFilesTest = test::ConfigFilesBed;

TEST_F(UnitsFilesTest, UnitsFilesComeBeforeQueueFiles) {
    writeRule("etc/a.queue", "queue");
    write("units-lib/web.service",
          "[Service]\nExecStart=/bin/sh -c '\\\n[ x ]'\n[X-Filterd]\nIngressFilter=lib\n");
    write("units-etc/web.service.d/override.conf", "[X-Filterd]\nIngressFilter=etc\n");
    write("units-lib/plain.service", "[Service]\n");
    write("units-lib/masked.service", "[X-Filterd]\nIngressFilter=x\n");
    fs::create_symlink("/dev/null", temp_.path() / "units-etc/masked.service");
    fs::create_directories(temp_.path() / "units-etc/multi-user.target.wants");
    fs::create_symlink(temp_.path() / "units-lib/web.service", temp_.path() / "units-etc/alias.service");
    write("units-etc/alias.service.d/z.conf", "[X-Filterd]\nIngressFilter=alias\n");
    const auto configuration = read();
    EXPECT_THAT(summary(configuration),
                ElementsAre("units-lib/web.service lib etc alias", "etc/a.queue queue"));
    EXPECT_THAT(configuration.errors, IsEmpty());
    EXPECT_EQ(configuration.rules.front().targets, std::vector<std::string>{"web.service"});
}

TEST_F(UnitsFilesTest, UnitsOfUsersHaveFilesOfTheirOwn) {
    write("user-lib/app.service", "[X-Filterd]\nIngressFilter=lib\n");
    write("user-etc/app.service.d/more.conf", "[X-Filterd]\nIngressFilter=etc\n");
    write("units-lib/app.service", "[X-Filterd]\nIngressFilter=system\n");
    fs::create_symlink("app.service", temp_.path() / "user-etc/alias.service");
    write("etc/a.queue", "[Match]\nUnit=user@1000.service/alias.service\n[Queue]\nIngressFilter=queue\n");
    const auto configuration = read();
    EXPECT_THAT(summary(configuration), ElementsAre("units-lib/app.service system",
                                                    "user-lib/app.service lib etc", "etc/a.queue queue"));
    EXPECT_EQ(configuration.rules[1].targets, std::vector<std::string>{"user@*.service/app.service"});
    EXPECT_EQ(configuration.rules[2].targets, std::vector<std::string>{"user@1000.service/app.service"});
}

// Its file may be in a user's home, or it is transient; the system's unit paths are all that there are.
TEST_F(UnitsFilesTest, AnAliasOfUsersMayNameAUnitWhoseFileIsNotRead) {
    write("user-etc/other.service", "[Service]\n");
    write("units-etc/other.service", "[Service]\n");
    for (const auto* folder : {"user-etc", "units-etc"})
        fs::create_symlink("app.service", temp_.path() / folder / "alias.service");
    write("etc/a.queue", "[Match]\nUnit=user@1000.service/alias.service\n[Queue]\nIngressFilter=x\n");
    write("etc/b.queue", "[Match]\nUnit=alias.service\n[Queue]\nIngressFilter=x\n");
    const auto configuration = read();
    ASSERT_EQ(configuration.rules.size(), 2U);
    EXPECT_THAT(configuration.rules.front().targets, ElementsAre("user@1000.service/app.service"));
    EXPECT_THAT(configuration.rules.back().targets, ElementsAre("alias.service"));
}

TEST_F(UnitsFilesTest, FollowsAnAliasOfALongName) {
    const auto longName = std::string(245, 'a') + ".service";
    write("user-etc/" + longName, "[Service]\n");
    fs::create_symlink(longName, temp_.path() / "user-etc/alias.service");
    write("etc/a.queue", "[Match]\nUnit=user@1000.service/alias.service\n[Queue]\nIngressFilter=x\n");
    const auto configuration = read();
    ASSERT_EQ(configuration.rules.size(), 1U);
    EXPECT_THAT(configuration.rules.front().targets, ElementsAre("user@1000.service/" + longName));
    EXPECT_TRUE(Rules().setFiles(configuration.rules));
}

TEST_F(UnitsFilesTest, KeepsTheRulesOfUnitsWhoseFilesCannotBeRead) {
    write("units-etc/web.service.d/override.conf", "[X-Filterd]\nIngressFilter=etc\n");
    const auto last = read();
    remove("units-etc");
    write("units-etc", "a file where the directory should be");
    const auto configuration = read(last);
    EXPECT_EQ(configuration.rules, last.rules);
    EXPECT_EQ(configuration.errors.size(), 1U);
}

TEST_F(UnitsFilesTest, NamesTheFilesBehindAName) {
    writeRule("lib/a.queue", "x");
    write("etc/a.queue.d/1.conf", "[Queue]\n");
    write("lib/port@.filter", "[Filter]\nObject=/x\n");
    write("run/port@443.filter.d/1.conf", "[Filter]\n");
    write("units-lib/web.service", "[X-Filterd]\nIngressFilter=x\n");
    write("units-etc/web.service.d/other.conf", "[Service]\n");
    const ConfigFiles files({{temp_.path() / "etc", temp_.path() / "run", temp_.path() / "lib"},
                             {temp_.path() / "units-etc", temp_.path() / "units-lib"}});
    const auto paths = [&](const std::string& name) {
        std::vector<std::string> result;
        const auto found = files.files(name);
        for (const auto& file : *found)
            result.push_back(fs::path(file.path).lexically_relative(temp_.path()).string());
        return result;
    };
    EXPECT_THAT(paths("a.queue"), ElementsAre("lib/a.queue", "etc/a.queue.d/1.conf"));
    EXPECT_THAT(paths("port@443"), ElementsAre("lib/port@.filter", "run/port@443.filter.d/1.conf"));
    EXPECT_THAT(paths("port@80.filter"), ElementsAre("lib/port@.filter"));
    EXPECT_THAT(paths("web.service"), ElementsAre("units-lib/web.service"));
    EXPECT_THAT(paths("none"), IsEmpty());
    EXPECT_THAT(paths("none.queue"), IsEmpty());
    EXPECT_FALSE(files.files("no.name"));
}

TEST_F(UnitsFilesTest, FollowsLinksOfATemplateAndChainsButNoLoops) {
    write("units-lib/web@.service", "[X-Filterd]\nIngressFilter=a\n");
    write("units-lib/one.service", "[Service]\n");
    fs::create_directories(temp_.path() / "units-etc/three.service.d");
    link("web@.service", "units-etc/web@1.service");
    link("loop-b.service", "units-etc/loop-a.service");
    link("loop-a.service", "units-etc/loop-b.service");
    link("nothing.service", "units-etc/gone.service");
    link("one.service", "units-lib/two.service");
    link("../units-lib/two.service", "units-etc/three.service");
    write("units-etc/three.service.d/x.conf", "[X-Filterd]\nIngressFilter=b\n");
    const auto configuration = read();
    ASSERT_THAT(summary(configuration),
                ElementsAre("units-etc/three.service.d/x.conf b", "units-lib/web@.service a"));
    EXPECT_THAT(targets(configuration), ElementsAre("one.service", "web@*.service"));
    EXPECT_THAT(configuration.errors, IsEmpty());
    EXPECT_EQ(primaryUnit(configuration.units, "loop-a.service"), "loop-a.service");
    EXPECT_EQ(primaryUnit(configuration.units, "gone.service"), "gone.service") << "it may be made otherwise";
}

TEST_F(UnitsFilesTest, ALinkOutOfTheUnitPathsIsAUnitOfItsOwnName) {
    write("opt/app-v42.service", "[X-Filterd]\nIngressFilter=linked\n");
    fs::create_directories(temp_.path() / "units-etc");
    link("../opt/app-v42.service", "units-etc/app.service");
    link(temp_.path() / "opt/app-v42.service", "units-etc/by-alias.service"); // as Alias= is made up to v255
    link("app.service", "units-etc/real-alias.service");
    link("../opt/app-v42.service", "units-etc/tool@.service");
    link("../opt/app-v42.service", "units-etc/app.slice");
    write("etc/a.queue", "[Match]\nUnit=app.service real-alias.service\n[Queue]\nIngressFilter=x\n");
    const auto configuration = read();
    EXPECT_THAT(targets(configuration), ElementsAre("app.service", "app.slice", "by-alias.service",
                                                    "tool@*.service", "app.service", "app.service"));
    EXPECT_THAT(configuration.errors, IsEmpty());
    EXPECT_EQ(primaryUnit(configuration.units, "real-alias.service"), "app.service");
}

TEST_F(UnitsFilesTest, ALinkThatSystemdRejectsHidesNoLowerFile) {
    write("units-lib/web.socket", "[X-Filterd]\nIngressFilter=socket\n");
    write("units-lib/same.service", "[X-Filterd]\nIngressFilter=same\n");
    write("units-lib/own@8.service", "[X-Filterd]\nIngressFilter=eight\n");
    write("units-lib/main@.service", "[X-Filterd]\nIngressFilter=main\n");
    fs::create_directories(temp_.path() / "units-etc");
    link("web.service", "units-etc/web.socket");
    link("../units-lib/same.service", "units-etc/same.service");
    link("../units-lib/main@.service", "units-etc/own@.service");
    const auto configuration = read();
    EXPECT_THAT(targets(configuration),
                ElementsAre("own@8.service", "same.service", "web.socket", "main@*.service"));
    EXPECT_EQ(primaryUnit(configuration.units, "own@7.service"), "main@7.service");
    EXPECT_EQ(primaryUnit(configuration.units, "own@8.service"), "own@8.service")
        << "it has a file of its own";
}

TEST_F(UnitsFilesTest, TellsOfUnitFilesThatCannotBeRead) {
    fs::create_directories(temp_.path() / "units-etc/a.service.d");
    fs::create_directories(temp_.path() / "units-etc/c.service.d/directory.conf");
    link("loop.conf", "units-etc/a.service.d/loop.conf");
    write("units-etc/b.service", std::string((1U << 20) + 1, '#'));
    link("/nowhere/x.conf", "units-etc/c.service.d/gone.conf");
    link("/nowhere/d.service", "units-etc/d.service");
    const auto configuration = read();
    EXPECT_THAT(targets(configuration), ElementsAre("a.service", "b.service"));
    for (const auto& rule : configuration.rules)
        EXPECT_THAT(rule.broken, StartsWith(rule.source + ": ")) << "OnFailure= is for its unit";
    EXPECT_THAT(
        configuration.errors,
        testing::UnorderedElementsAre(StartsWith(at("units-etc/a.service.d/loop.conf") + ": cannot be read"),
                                      StartsWith(at("units-etc/b.service") + ": is larger"),
                                      StartsWith(at("units-etc/c.service.d/gone.conf") + ": is a link"),
                                      StartsWith(at("units-etc/d.service") + ": is a link")));
    EXPECT_EQ(configuration.held.size(), 2U);
}

TEST_F(UnitsFilesTest, TellsOfSectionsInUnitsWithoutPackets) {
    write("units-lib/a.timer", "[Timer]\n# not [X-Filterd]\n");
    write("units-lib/b.timer", "[Timer]\n[X-Filterd]\nIngressFilter=x\n");
    write("units-etc/c.target.d/x.conf", "[X-Filterd]\nIngressFilter=x\n");
    write("units-etc/swap.d/x.conf", "[X-Filterd]\n");
    const auto configuration = read();
    EXPECT_THAT(configuration.rules, IsEmpty());
    EXPECT_THAT(configuration.errors, testing::UnorderedElementsAre(
                                          StartsWith(at("units-lib/b.timer") + ": [X-Filterd] has no effect"),
                                          StartsWith(at("units-etc/c.target.d/x.conf") + ": [X-Filterd]"),
                                          StartsWith(at("units-etc/swap.d/x.conf") + ": [X-Filterd]")));
    EXPECT_THAT(configuration.held, IsEmpty());
}

TEST_F(UnitsFilesTest, AbsoluteLinksOfAnotherRootAreWithinIt) {
    write("root/usr/lib/systemd/system/web.service", "[X-Filterd]\nIngressFilter=a\n");
    fs::create_directories(temp_.path() / "root/etc/systemd/system");
    link("/usr/lib/systemd/system/web.service", "root/etc/systemd/system/alias.service");
    const auto configuration = ConfigFiles(ConfigPlaces::below(temp_.path() / "root")).read({});
    EXPECT_EQ(primaryUnit(configuration.units, "alias.service"), "web.service");
    EXPECT_THAT(targets(configuration), ElementsAre("web.service"));
}

TEST_F(UnitsFilesTest, TakesNamesAsLongAsSystemdDoes) {
    const std::string stem(240, 'x');
    write("units-etc/" + stem + "@.service", "[X-Filterd]\nIngressFilter=a\n");
    write("user-etc/" + stem + "yyyyyyy.service", "[X-Filterd]\nIngressFilter=b\n");
    write("user-etc/my\\x2dapp@.service", "[X-Filterd]\nIngressFilter=c\n");
    const auto configuration = read();
    EXPECT_THAT(configuration.errors, IsEmpty());
    Rules rules;
    ASSERT_TRUE(rules.setFiles(configuration.rules));
    for (const auto& unit : {stem + "@1.service", "user@4294967294.service/" + stem + "yyyyyyy.service",
                             std::string("user@1000.service/my\\x2dapp@1.service")})
        EXPECT_NE(rules.match({unit, {}}), nullptr) << unit;
    EXPECT_EQ(rules.match({"user@1000.service/my-app@1.service", {}}), nullptr);
}

TEST_F(UnitsFilesTest, WarnsOfWhatIsMisplacedInUnitsFiles) {
    write("units-lib/web.service", "[Service]\nIngressFilter=a\n");
    write("units-etc/web.service.d/x.conf", "[X-filterd]\nIngressFilter=a\n");
    write("user-etc/app.service", "[Filterd]\n");
    const auto configuration = read();
    EXPECT_THAT(configuration.rules, IsEmpty());
    EXPECT_THAT(configuration.errors, IsEmpty());
    EXPECT_THAT(
        configuration.warnings,
        testing::UnorderedElementsAre(StartsWith(at("units-lib/web.service:2: IngressFilter= in [Service]")),
                                      StartsWith(at("units-etc/web.service.d/x.conf:1: section [X-filterd]")),
                                      StartsWith(at("user-etc/app.service:1: section [Filterd]"))));
}

TEST_F(UnitsFilesTest, WarnsOfUnitFilesThatSystemdDoesNotRead) {
    const std::string section = "[X-Filterd]\nIngressFilter=a\n";
    write("units-lib/nginx.service", "[Service]\n");
    write("units-etc/nginx.servce.d/x.conf", section);
    write("units-etc/nginx.d/x.conf", section);
    write("units-etc/nginx.service.d/x.cnf", section);
    write("units-etc/nginx.service.d/x.conf", "[Service]\n");
    write("units-etc/nginx.sevice", section);
    write("user-etc/app.d/x.conf", section);
    for (const char* fine : {"nginx.service.d/x.conf~", "nginx.service.d/.x.conf.swp", "nginx.service.bak"})
        write(std::string("units-etc/") + fine, section);
    write("units-etc/other.d/x.conf", "[Service]\n"); // others' affair
    const auto configuration = read();
    EXPECT_THAT(configuration.errors, IsEmpty());
    EXPECT_THAT(configuration.rules, IsEmpty());
    EXPECT_THAT(
        configuration.warnings,
        testing::UnorderedElementsAre(
            AllOf(StartsWith(at("units-etc/nginx.servce.d/x.conf")), EndsWith("mean nginx.service.d?")),
            AllOf(StartsWith(at("units-etc/nginx.d/x.conf")), EndsWith("did you mean nginx.service.d?")),
            AllOf(StartsWith(at("units-etc/nginx.service.d/x.cnf")), EndsWith("does not end in .conf")),
            AllOf(StartsWith(at("units-etc/nginx.sevice")), EndsWith("did you mean nginx.service?")),
            StartsWith(at("user-etc/app.d/x.conf"))));
}

TEST_F(UnitsFilesTest, WarnsOfUnitFilesWhoseFolderOrHiddenNameIsNotRead) {
    const std::string section = "[X-Filterd]\nIngressFilter=a\n";
    write("units-lib/a.service", "[Service]\n");
    write("units-etc/a.serviced/x.conf", section);
    write("units-etc/a.service.conf/x.conf", section);
    write("units-etc/a.service.d/.x.conf", section);
    write("units-etc/.a.service", section);
    write("units-etc/more/b.service", section);
    write("units-etc/x.queue", "[Match]\nUnit=a.service\n[Queue]\n");
    write("user-etc/x.filter", "[Filter]\nRule=allow icmp\n");
    for (const char* fine : {"a.service.d/.#x.conf1234", "a.service.d/.x.conf.swp", "snap/x.conf~"})
        write(std::string("units-etc/") + fine, section);
    write("units-etc/other/x.conf", "[Service]\n");
    write("units-etc/other.queue", "[Printer]\n");
    const auto configuration = read();
    EXPECT_THAT(configuration.errors, IsEmpty());
    EXPECT_THAT(configuration.rules, IsEmpty());
    const auto ofFolder = EndsWith("did you mean a.service.d?");
    const auto ofDot = EndsWith("begins with a dot");
    const auto ofQueue = EndsWith("among the files of units; move it to /etc/filterd");
    EXPECT_THAT(
        configuration.warnings,
        testing::UnorderedElementsAre(AllOf(StartsWith(at("units-etc/a.serviced/x.conf")), ofFolder),
                                      AllOf(StartsWith(at("units-etc/a.service.conf/x.conf")), ofFolder),
                                      AllOf(StartsWith(at("units-etc/a.service.d/.x.conf")), ofDot),
                                      AllOf(StartsWith(at("units-etc/.a.service")), ofDot),
                                      StartsWith(at("units-etc/more/b.service")),
                                      AllOf(StartsWith(at("units-etc/x.queue")), ofQueue),
                                      AllOf(StartsWith(at("user-etc/x.filter")), ofQueue)));
}

TEST_F(UnitsFilesTest, WarnsOfCopiesOfUnitFilesThatAreGoneAndOfFoldersAmongDropIns) {
    const std::string section = "[X-Filterd]\nIngressFilter=a\n";
    write("units-lib/a.service", "[Service]\n");
    write("units-lib/b.service", "[Service]\n");
    write("units-etc/a.service.d/x.conf.bak", section);
    write("units-etc/a.service.d/more/x.conf", section);
    write("units-etc/gone.service.bak", section);
    write("units-etc/b.service.d/y.conf", section);
    write("units-etc/b.service.d/y.conf~", section);
    write("units-etc/b.service.d/note/text", "[Service]\n");
    EXPECT_THAT(
        read().warnings,
        testing::UnorderedElementsAre(
            AllOf(StartsWith(at("units-etc/a.service.d/x.conf.bak")), EndsWith("end in .conf")),
            AllOf(StartsWith(at("units-etc/a.service.d/more/x.conf")), testing::HasSubstr("no folder more")),
            StartsWith(at("units-etc/gone.service.bak"))));
}

TEST_F(UnitsFilesTest, WarnsOfHiddenFilesAndOfCopiesOfWhatIsGone) {
    const std::string rule = "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=a\n";
    for (const char* name : {".a.queue", "b.queue~", "c.queue.bak", ".d.filter", "web.queue.d/.x.conf"})
        write(std::string("etc/") + name, name == std::string(".d.filter") ? "[Filter]\n" : rule);
    for (const char* fine : {".web.queue", "web.queue~", "web.queue.old", "e.queue.disabled", ".#f.queue",
                             ".g.queue.swp", "h.queue.dpkg-old", "i.txt~"})
        write(std::string("etc/") + fine, rule);
    write("lib/web.queue", rule);
    EXPECT_THAT(
        read().warnings,
        ElementsAre(AllOf(StartsWith(at("etc/.a.queue: ")),
                          EndsWith("begins with a dot; rename it to a.queue, or remove it")),
                    AllOf(StartsWith(at("etc/.d.filter: ")), EndsWith("rename it to d.filter, or remove it")),
                    AllOf(StartsWith(at("etc/b.queue~: ")),
                          EndsWith("is that of a copy; rename it to b.queue, or remove it")),
                    StartsWith(at("etc/c.queue.bak: ")),
                    AllOf(StartsWith(at("etc/web.queue.d/.x.conf: ")), EndsWith("begins with a dot"))));
}

TEST_F(UnitsFilesTest, WarnsOfFoldersThatAreCalledNearlyAsTheOnesThatAreRead) {
    const std::string rule = "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=a\n";
    for (const char* folder : {"filterd.d", "Filterd", "local/filterd", "local/fitlerd"})
        write(std::string(folder) + "/a.queue", rule);
    write("filterd.d/x.queue", "[Other]\n");
    write("other/a.queue", rule);
    write("etc/web.queued/x.conf", rule);
    write("etc/unit.conf", "[X-Filterd]\nIngressFilter=a\n");
    link(at("etc"), "filterd-link");
    const auto move = EndsWith("is not; move it to " + at("etc"));
    EXPECT_THAT(
        read().warnings,
        ElementsAre(AllOf(StartsWith(at("etc/unit.conf: ")), testing::HasSubstr("in the files of units")),
                    AllOf(StartsWith(at("etc/web.queued/x.conf: ")), EndsWith("ends in .d")),
                    AllOf(StartsWith(at("Filterd/a.queue: ")), move),
                    AllOf(StartsWith(at("filterd.d/a.queue: ")), move),
                    AllOf(StartsWith(at("local/filterd/a.queue: ")), move),
                    AllOf(StartsWith(at("local/fitlerd/a.queue: ")), move)));
}

TEST_F(UnitsFilesTest, WarnsOfFilesThatAreNotRead) {
    const std::string rule = "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=a\n";
    for (const char* name : {"a.que", "b.Queue", "c.conf", "sub/d.queue", "web.queue.d/x.cnf", "none"})
        write(std::string("etc/") + name, rule);
    for (const char* name :
         {"web.queue~", ".f.queue.swp", "web.queue.bak", "web.queue.d/x.conf~", "readme.txt"})
        write(std::string("etc/") + name, rule);
    write("lib/web.queue", rule);
    write("lib/bpf/port.bpf.o", "ELF");
    write("etc/names.list", "a.example\n");
    write("run/wbe.queue.d/x.conf", "[Queue]\n");
    write("run/web.queues.d/x.conf", "[Queue]\n");
    const auto configuration = read();
    EXPECT_THAT(configuration.errors, IsEmpty());
    EXPECT_THAT(summary(configuration), ElementsAre("lib/web.queue a"));
    EXPECT_THAT(configuration.warnings,
                ElementsAre(AllOf(StartsWith(at("etc/a.que: ")), EndsWith("did you mean a.queue?")),
                            AllOf(StartsWith(at("etc/b.Queue: ")), EndsWith("did you mean b.queue?")),
                            StartsWith(at("etc/c.conf: ")), StartsWith(at("etc/none: ")),
                            AllOf(StartsWith(at("etc/sub/d.queue: ")), EndsWith("move it to " + at("etc"))),
                            AllOf(StartsWith(at("etc/web.queue.d/x.cnf: ")), EndsWith("end in .conf")),
                            AllOf(StartsWith(at("run/wbe.queue.d: ")), EndsWith("mean web.queue.d?")),
                            AllOf(StartsWith(at("run/web.queues.d: ")), EndsWith("mean web.queue.d?"))));
}

TEST_F(UnitsFilesTest, ALinkToAnEmptyFileMasks) {
    write("elsewhere/empty", "");
    write("units-lib/web.service", "[X-Filterd]\nIngressFilter=a\n");
    write("lib/a.queue", "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=a\n");
    fs::create_directories(temp_.path() / "units-etc");
    fs::create_directories(temp_.path() / "etc");
    link(at("elsewhere/empty"), "units-etc/web.service");
    link(at("elsewhere/empty"), "etc/a.queue");
    EXPECT_THAT(read().rules, IsEmpty());
}

} // namespace
} // namespace filterd
