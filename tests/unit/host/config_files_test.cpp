#include "core/rules/rules.hpp"
#include "edge/host/config_files.hpp"
#include "temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace filterd {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::StartsWith;

class ConfigFilesTest : public testing::Test {
  protected:
    [[nodiscard]] Configuration read(const Configuration& last = {}) const {
        return ConfigFiles({{temp_.path() / "etc", temp_.path() / "run", temp_.path() / "lib"},
                            {temp_.path() / "units-etc", temp_.path() / "units-lib"},
                            {temp_.path() / "user-etc", temp_.path() / "user-lib"}})
            .read(last);
    }
    void write(const std::string& name, const std::string& text) const { temp_.write(name, text); }
    void writeRule(const std::string& name, const std::string& filter) const {
        write(name, "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=" + filter + "\n");
    }
    void remove(const std::string& name) const { fs::remove_all(temp_.path() / name); }
    [[nodiscard]] std::string at(const std::string& name) const { return (temp_.path() / name).string(); }

    void link(const fs::path& target, const std::string& name) const {
        fs::create_symlink(target, temp_.path() / name);
    }

    // Of all rules, in order.
    static std::vector<std::string> targets(const Configuration& configuration) {
        std::vector<std::string> all;
        for (const auto& rule : configuration.rules)
            all.insert(all.end(), rule.targets.begin(), rule.targets.end());
        return all;
    }

    // "FILE INGRESS…" of each rule, with the file below the temporary directory.
    [[nodiscard]] std::vector<std::string> summary(const Configuration& configuration) const {
        std::vector<std::string> lines;
        for (const auto& rule : configuration.rules) {
            lines.push_back(fs::path(rule.source).lexically_relative(temp_.path()).string());
            for (const auto& filter : rule.ingress)
                lines.back() += " " + filter.text();
        }
        return lines;
    }

    TempDirectory temp_;
};

TEST_F(ConfigFilesTest, IsEmptyWithoutDirectories) { EXPECT_EQ(read(), Configuration{}); }

TEST_F(ConfigFilesTest, OrdersByFileNameAcrossDirectories) {
    writeRule("lib/30-c.queue", "c");
    writeRule("etc/20-b.queue", "b");
    writeRule("run/10-a.queue", "a");
    writeRule("lib/9-z.queue", "z");
    EXPECT_THAT(summary(read()),
                ElementsAre("run/10-a.queue a", "etc/20-b.queue b", "lib/30-c.queue c", "lib/9-z.queue z"));
}

TEST_F(ConfigFilesTest, TakesTheHighestFileOfAName) {
    writeRule("lib/a.queue", "lib");
    writeRule("run/a.queue", "run");
    EXPECT_THAT(summary(read()), ElementsAre("run/a.queue run"));
    writeRule("etc/a.queue", "etc");
    EXPECT_THAT(summary(read()), ElementsAre("etc/a.queue etc"));
}

TEST_F(ConfigFilesTest, IsMaskedByALinkToNullAndByAnEmptyFile) {
    writeRule("lib/a.queue", "x");
    writeRule("lib/b.queue", "x");
    writeRule("lib/c.queue", "x");
    fs::create_directories(temp_.path() / "etc");
    fs::create_symlink("/dev/null", temp_.path() / "etc/a.queue");
    write("run/b.queue", "");
    const auto read1 = read();
    EXPECT_THAT(summary(read1), ElementsAre("lib/c.queue x"));
    EXPECT_THAT(read1.errors, IsEmpty());
}

TEST_F(ConfigFilesTest, FollowsALinkToAFile) {
    write("elsewhere", "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=x\n");
    fs::create_directories(temp_.path() / "etc");
    fs::create_symlink("../elsewhere", temp_.path() / "etc/a.queue");
    EXPECT_THAT(summary(read()), ElementsAre("etc/a.queue x"));
}

TEST_F(ConfigFilesTest, IgnoresOtherNames) {
    write("etc/a.filters", "odd");
    write("etc/.a.queue", "odd");
    write("etc/a.queue~", "odd");
    write("etc/a.queue.d/x.conf~", "odd");
    EXPECT_EQ(read(), Configuration{});
}

TEST_F(ConfigFilesTest, MergesDropInsOfAllDirectoriesByTheirNames) {
    writeRule("lib/a.queue", "main");
    write("etc/a.queue.d/20.conf", "[Queue]\nIngressFilter=etc20\n");
    write("run/a.queue.d/10.conf", "[Queue]\nIngressFilter=run10\n");
    write("lib/a.queue.d/30.conf", "[Queue]\nIngressFilter=lib30\n");
    write("lib/a.queue.d/20.conf", "[Queue]\nIngressFilter=lib20\n");
    write("lib/a.queue.d/25.conf", "[Queue]\nIngressFilter=lib25\n");
    write("etc/a.queue.d/25.conf", "");
    fs::create_symlink("/dev/null", temp_.path() / "run/a.queue.d/30.conf");
    write("lib/a.queue.d/README", "odd");
    EXPECT_THAT(summary(read()), ElementsAre("lib/a.queue main run10 etc20"));
}

TEST_F(ConfigFilesTest, NeverLetsOneBadFileStopTheOthers) {
    writeRule("etc/1.queue", "x");
    write("etc/2.queue", "[Match]\nUnit=nginx\n");
    writeRule("etc/3.queue", "z");
    const auto configuration = read();
    EXPECT_THAT(summary(configuration), ElementsAre("etc/1.queue x", "etc/3.queue z"));
    EXPECT_THAT(configuration.errors, ElementsAre(StartsWith(at("etc/2.queue") + ":2: ")));
}

TEST_F(ConfigFilesTest, KeepsTheLastGoodStateOfABrokenFile) {
    writeRule("lib/a.queue", "good");
    writeRule("lib/b.queue", "b");
    const auto last = read();
    write("lib/a.queue", "[Match]\nUnit=a.service\n[Queue]\nIngresFilter=typo\n");
    auto broken = read(last);
    EXPECT_EQ(broken.rules, last.rules);
    EXPECT_THAT(broken.errors, ElementsAre(StartsWith(at("lib/a.queue") + ":4: ")));

    broken = read(broken);
    EXPECT_EQ(broken.rules, last.rules) << "also the second time";

    writeRule("lib/a.queue", "better");
    EXPECT_THAT(summary(read(broken)), ElementsAre("lib/a.queue better", "lib/b.queue b"));
}

TEST_F(ConfigFilesTest, KeepsTheLastGoodStateByNameUnderABrokenOverride) {
    writeRule("lib/a.queue", "good");
    const auto last = read();
    write("etc/a.queue", "typo");
    const auto broken = read(last);
    EXPECT_EQ(broken.rules, last.rules);
    EXPECT_EQ(broken.errors.size(), 1U);
}

TEST_F(ConfigFilesTest, CountsABrokenDropInAsABrokenFile) {
    writeRule("lib/a.queue", "good");
    const auto last = read();
    write("etc/a.queue.d/x.conf", "\n\n[Queue]\nOnFailure=maybe\n");
    const auto broken = read(last);
    EXPECT_EQ(broken.rules, last.rules);
    EXPECT_THAT(broken.errors, ElementsAre(StartsWith(at("etc/a.queue.d/x.conf") + ":4: ")));
}

TEST_F(ConfigFilesTest, ForgetsARuleWhoseFileIsGoneOrMasked) {
    writeRule("lib/a.queue", "x");
    writeRule("lib/b.queue", "x");
    const auto last = read();
    remove("lib/a.queue");
    write("etc/b.queue", "");
    EXPECT_EQ(read(last), Configuration{});
}

TEST_F(ConfigFilesTest, NeverTakesARuleOfTheBusForThatOfAFile) {
    write("etc/bus", "odd");
    write("etc/a.queue", "odd");
    Configuration last;
    last.rules.push_back({.source = "bus", .targets = {"a.service"}, .ingress = {}, .egress = {}});
    EXPECT_THAT(read(last).rules, IsEmpty());
}

TEST_F(ConfigFilesTest, RefusesWhatIsNoSmallRegularFile) {
    fs::create_directories(temp_.path() / "etc/1-directory.queue");
    ASSERT_EQ(::mkfifo(at("etc/2-fifo.queue").c_str(), 0600), 0);
    write("etc/3-large.queue", std::string((1U << 20) + 1, '#'));
    fs::create_symlink("nowhere", temp_.path() / "etc/4-dangling.queue");
    fs::create_symlink("5-loop.queue", temp_.path() / "etc/5-loop.queue");
    writeRule("etc/6-good.queue", "x");
    const auto configuration = read();
    EXPECT_THAT(summary(configuration), ElementsAre("etc/6-good.queue x"));
    EXPECT_THAT(configuration.errors,
                ElementsAre(StartsWith(at("etc/1-directory.queue") + ": is not a regular file"),
                            StartsWith(at("etc/2-fifo.queue") + ": is not a regular file"),
                            StartsWith(at("etc/3-large.queue") + ": is larger than 1 MiB"),
                            StartsWith(at("etc/4-dangling.queue") + ": cannot be read"),
                            StartsWith(at("etc/5-loop.queue") + ": cannot be read")));
}

TEST_F(ConfigFilesTest, ReadsAFileOfOneMebibyte) {
    std::string text = "[Match]\nUnit=a.service\n#";
    text.resize(1U << 20, 'x');
    write("etc/a.queue", text);
    EXPECT_EQ(read().rules.size(), 1U);
}

TEST_F(ConfigFilesTest, KeepsTheRulesOfADirectoryThatCannotBeListed) {
    writeRule("etc/a.queue", "x");
    writeRule("lib/b.queue", "y");
    const auto last = read();
    remove("etc");
    write("etc", "a file where the directory should be");
    const auto configuration = read(last);
    EXPECT_EQ(configuration.rules, last.rules);
    EXPECT_THAT(configuration.errors, ElementsAre(StartsWith(at("etc") + ": cannot be listed")));
}

TEST_F(ConfigFilesTest, ReportsANameThatIsNotText) {
    writeRule("etc/a\xff.queue", "x");
    writeRule("etc/ä.queue", "y");
    const auto configuration = read();
    EXPECT_THAT(summary(configuration), ElementsAre("etc/ä.queue y"));
    EXPECT_THAT(configuration.errors, ElementsAre(StartsWith(at("etc") + ": ")));
}

TEST_F(ConfigFilesTest, OfABrokenFileThatNeverWasGoodItsUnitsAreKept) {
    write("etc/a.queue", "[Match]\nUnit=a.service\n[Queue]\nIngresFilter=x\nOnFailure=pass\n");
    const auto first = read();
    ASSERT_EQ(first.rules.size(), 1U);
    EXPECT_THAT(first.rules.front().broken, StartsWith(at("etc/a.queue") + ":4: "));
    EXPECT_EQ(first.rules.front().onFailure, OnFailure::Pass);

    write("etc/a.queue", "[Match]\nUnit=b.service\n[Queue]\nIngresFilter=x\n");
    EXPECT_EQ(read(first).rules.front().targets, std::vector<std::string>{"b.service"})
        << "that was no good state";
}

TEST_F(ConfigFilesTest, ReadsFiltersOfAllDirectoriesWithTheirDropIns) {
    write("lib/port@.filter", "[Filter]\nObject=/lib.o\n");
    write("lib/count.filter", "[Filter]\nObject=/lib.o\n");
    write("lib/masked.filter", "[Filter]\nObject=/lib.o\n");
    write("etc/masked.filter", "");
    write("etc/count.filter", "[Filter]\nObject=/etc.o\n");
    write("run/port@.filter.d/10.conf", "[Parameters]\nlow=1\nboth=run\n");
    write("etc/port@443.filter.d/20.conf", "[Parameters]\nboth=etc\n");
    const auto filters = read().filters;
    const auto define = [&](const char* name) { return filters.define(*FilterName::parse(name)); };
    EXPECT_EQ(define("count")->object, "/etc.o");
    EXPECT_EQ(define("count")->source, at("etc/count.filter") + ":2");
    EXPECT_EQ(define("port@80")->parameters.at("both"), "run");
    EXPECT_EQ(define("port@443")->parameters.at("both"), "etc");
    EXPECT_EQ(define("port@443")->parameters.at("low"), "1");
    EXPECT_EQ(define("masked").error().code, ErrorCode::NoSuchFilter);
}

TEST_F(ConfigFilesTest, KeepsTheLastGoodFilterAndReportsTheFault) {
    write("etc/a.filter", "[Filter]\nObject=/good.o\n");
    const auto last = read();
    write("etc/a.filter.d/x.conf", "[Filter]\nObjekt=/bad.o\n");
    write("etc/b.c.filter", "[Filter]\nObject=/good.o\n");
    const auto broken = read(last);
    EXPECT_EQ(broken.filters, last.filters);
    EXPECT_THAT(broken.errors, testing::UnorderedElementsAre(StartsWith(at("etc/a.filter.d/x.conf") + ":2: "),
                                                             StartsWith(at("etc/b.c.filter") + ": ")));
}

TEST_F(ConfigFilesTest, UnitsFilesComeBeforeQueueFiles) {
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

TEST_F(ConfigFilesTest, UnitsOfUsersHaveFilesOfTheirOwn) {
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
TEST_F(ConfigFilesTest, AnAliasOfUsersMayNameAUnitWhoseFileIsNotRead) {
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

TEST_F(ConfigFilesTest, FollowsAnAliasOfALongName) {
    const auto longName = std::string(245, 'a') + ".service";
    write("user-etc/" + longName, "[Service]\n");
    fs::create_symlink(longName, temp_.path() / "user-etc/alias.service");
    write("etc/a.queue", "[Match]\nUnit=user@1000.service/alias.service\n[Queue]\nIngressFilter=x\n");
    const auto configuration = read();
    ASSERT_EQ(configuration.rules.size(), 1U);
    EXPECT_THAT(configuration.rules.front().targets, ElementsAre("user@1000.service/" + longName));
    EXPECT_TRUE(Rules().setFiles(configuration.rules));
}

TEST_F(ConfigFilesTest, KeepsTheRulesOfUnitsWhoseFilesCannotBeRead) {
    write("units-etc/web.service.d/override.conf", "[X-Filterd]\nIngressFilter=etc\n");
    const auto last = read();
    remove("units-etc");
    write("units-etc", "a file where the directory should be");
    const auto configuration = read(last);
    EXPECT_EQ(configuration.rules, last.rules);
    EXPECT_EQ(configuration.errors.size(), 1U);
}

TEST_F(ConfigFilesTest, NamesTheFilesBehindAName) {
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

TEST_F(ConfigFilesTest, FollowsLinksOfATemplateAndChainsButNoLoops) {
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

TEST_F(ConfigFilesTest, ALinkOutOfTheUnitPathsIsAUnitOfItsOwnName) {
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

TEST_F(ConfigFilesTest, ALinkThatSystemdRejectsHidesNoLowerFile) {
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

TEST_F(ConfigFilesTest, TellsOfUnitFilesThatCannotBeRead) {
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

TEST_F(ConfigFilesTest, TellsOfSectionsInUnitsWithoutPackets) {
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

TEST_F(ConfigFilesTest, AbsoluteLinksOfAnotherRootAreWithinIt) {
    write("root/usr/lib/systemd/system/web.service", "[X-Filterd]\nIngressFilter=a\n");
    fs::create_directories(temp_.path() / "root/etc/systemd/system");
    link("/usr/lib/systemd/system/web.service", "root/etc/systemd/system/alias.service");
    const auto configuration = ConfigFiles(ConfigPlaces::below(temp_.path() / "root")).read({});
    EXPECT_EQ(primaryUnit(configuration.units, "alias.service"), "web.service");
    EXPECT_THAT(targets(configuration), ElementsAre("web.service"));
}

TEST_F(ConfigFilesTest, TakesNamesAsLongAsSystemdDoes) {
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

TEST_F(ConfigFilesTest, WarnsOfWhatIsMisplacedInUnitsFiles) {
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

TEST_F(ConfigFilesTest, WarnsOfUnitFilesThatSystemdDoesNotRead) {
    const std::string section = "[X-Filterd]\nIngressFilter=a\n";
    write("units-lib/nginx.service", "[Service]\n");
    write("units-etc/nginx.servce.d/x.conf", section);
    write("units-etc/nginx.d/x.conf", section);
    write("units-etc/nginx.service.d/x.cnf", section);
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

TEST_F(ConfigFilesTest, WarnsOfFilesThatAreNotRead) {
    const std::string rule = "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=a\n";
    for (const char* name : {"a.que", "b.Queue", "c.conf", "sub/d.queue", "web.queue.d/x.cnf", "none"})
        write(std::string("etc/") + name, rule);
    for (const char* name : {"e.queue~", ".f.queue.swp", "g.queue.bak", "web.queue.d/x.conf~", "readme.txt"})
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

TEST_F(ConfigFilesTest, ALinkToAnEmptyFileMasks) {
    write("elsewhere/empty", "");
    write("units-lib/web.service", "[X-Filterd]\nIngressFilter=a\n");
    write("lib/a.queue", "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=a\n");
    fs::create_directories(temp_.path() / "units-etc");
    fs::create_directories(temp_.path() / "etc");
    link(at("elsewhere/empty"), "units-etc/web.service");
    link(at("elsewhere/empty"), "etc/a.queue");
    EXPECT_THAT(read().rules, IsEmpty());
}

TEST_F(ConfigFilesTest, DropInsOfAnInstanceTellOfIt) {
    write("units-lib/web@.service", "[Service]\nSlice=shop.slice\n");
    write("units-etc/web@1.service.d/x.conf", "[Service]\nSlice=other.slice\n");
    EXPECT_EQ(read().units.traits.slices,
              (std::map<std::string, std::string>{{"web@.service", "shop.slice"},
                                                  {"web@1.service", "other.slice"}}));
}

TEST_F(ConfigFilesTest, KnowsTheUnitsOfFilesAndWhatStartsThem) {
    write("units-lib/web@.service", "[Service]\nSlice=shop.slice\n");
    write("units-lib/ssh.socket", "[Socket]\nListenStream=22\n");
    write("units-lib/own@.service", "[Service]\nSlice=%p-%i.slice\n");
    write("units-lib/my.service", "[Service]\nSlice=x-%N.slice\n");
    write("user-lib/app.service", "[Service]\n");
    fs::create_directories(temp_.path() / "units-etc/sockets.target.wants");
    fs::create_symlink("web@.service", temp_.path() / "units-lib/www@.service");
    fs::create_symlink("/dev/null", temp_.path() / "units-etc/gone.service");
    fs::create_symlink("../ssh.socket", temp_.path() / "units-etc/sockets.target.wants/ssh.socket");
    const auto units = read().units;
    EXPECT_THAT(units.known.ofSystem,
                ElementsAre("gone.service", "my.service", "own-*.slice", "own@.service", "shop.slice",
                            "ssh.socket", "web@.service", "www@.service", "x-my.slice"));
    EXPECT_THAT(units.known.ofUsers, ElementsAre("app.service"));
    EXPECT_THAT(units.traits.started, ElementsAre("ssh.socket"));
}

} // namespace
} // namespace filterd
