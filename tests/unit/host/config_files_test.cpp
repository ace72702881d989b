// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// .queue and .filter files in their folders.

#include "config_files_bed.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace filterd {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

using ConfigFilesTest = test::ConfigFilesBed;

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

TEST_F(ConfigFilesTest, ADropInThatCannotBeReadBreaksItsFileWhoseUnitsAreKept) {
    const std::string main = "[Match]\nUnit=a.service\n[Queue]\nEgressFilter=x\n";
    for (const auto* name : {"1-directory", "2-fifo", "3-large", "4-dangling", "5-folder", "6-pass"})
        write("etc/" + std::string(name) + ".queue", main);
    fs::create_directories(temp_.path() / "etc/1-directory.queue.d/x.conf");
    fs::create_directories(temp_.path() / "etc/2-fifo.queue.d");
    ASSERT_EQ(::mkfifo(at("etc/2-fifo.queue.d/x.conf").c_str(), 0600), 0);
    write("etc/3-large.queue.d/x.conf", std::string((1U << 20) + 1, '#'));
    fs::create_directories(temp_.path() / "etc/4-dangling.queue.d");
    fs::create_symlink("nowhere", temp_.path() / "etc/4-dangling.queue.d/x.conf");
    write("etc/5-folder.queue.d", "a file where the directory should be");
    write("etc/6-pass.queue.d/a.conf", "[Queue]\nOnFailure=pass\n");
    fs::create_directories(temp_.path() / "etc/6-pass.queue.d/b.conf");
    const auto configuration = read();
    ASSERT_EQ(configuration.errors.size(), 6U);
    ASSERT_EQ(configuration.rules.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        const auto& rule = configuration.rules.at(i);
        EXPECT_EQ(rule.broken, configuration.errors.at(i));
        EXPECT_EQ(rule.targets, std::vector<std::string>{"a.service"}) << rule.source;
        EXPECT_EQ(rule.onFailure, i == 5 ? OnFailure::Pass : OnFailure::Hold) << rule.source;
        EXPECT_TRUE(configuration.held.contains(rule.broken)) << rule.broken;
    }
}

TEST_F(ConfigFilesTest, OfAFileThatCannotBeReadTheUnitsOfItsDropInsAreKept) {
    fs::create_directories(temp_.path() / "etc/a.queue");
    write("etc/a.queue.d/x.conf", "[Match]\nUnit=a.service\n");
    const auto configuration = read();
    ASSERT_EQ(configuration.rules.size(), 1U);
    EXPECT_THAT(configuration.rules.front().broken,
                StartsWith(at("etc/a.queue") + ": is not a regular file"));
    EXPECT_EQ(configuration.rules.front().targets, std::vector<std::string>{"a.service"});
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
    EXPECT_EQ(define("port@443")->parameters.at("both"), "run\netc");
    EXPECT_EQ(define("port@443")->parameters.at("low"), "1");
    EXPECT_EQ(define("masked").error().code, ErrorCode::NoSuchFilter);
}

TEST_F(ConfigFilesTest, AMaskedFilterIsToldOfWithTheFileThatMasksIt) {
    write("lib/web.filter", "[Filter]\nObject=/lib.o\n");
    write("lib/port@.filter", "[Filter]\nObject=/lib.o\n");
    write("lib/dns@.filter", "[Filter]\nObject=/lib.o\n");
    write("run/dns@a.filter", "[Filter]\nObject=/run.o\n");
    write("etc/dns@.filter", "");
    link("/dev/null", "etc/web.filter");
    link("/dev/null", "etc/port@80.filter");
    write("lib/q.queue", "[Match]\nUnit=a.service\n");
    write("etc/q.queue", "");
    const auto filters = read().filters;
    const auto found = files();
    for (const auto& [name, mask] :
         {std::pair("web", "etc/web.filter"), std::pair("port@80", "etc/port@80.filter"),
          std::pair("dns@b", "etc/dns@.filter")}) {
        const auto filter = *FilterName::parse(name);
        EXPECT_FALSE(filters.defines(filter)) << name;
        EXPECT_EQ(filters.maskOf(filter), at(mask));
        EXPECT_EQ(found.maskOf(name), at(mask));
        EXPECT_THAT(found.files(name).value(), testing::IsEmpty()) << name;
        const auto error = filters.define(filter).error();
        EXPECT_EQ(error.code, ErrorCode::NoSuchFilter);
        EXPECT_EQ(error.message,
                  "the filter '" + std::string(name) + "' is masked by " + at(mask) +
                      ", an empty file or a link to /dev/null; remove that, or write a filter there");
    }
    EXPECT_EQ(found.maskOf("q.queue"), at("etc/q.queue"));
    EXPECT_EQ(found.maskOf("port@443"), "");
    EXPECT_TRUE(filters.defines(*FilterName::parse("port@443")));
    EXPECT_EQ(filters.define(*FilterName::parse("dns@a"))->object, "/run.o") << "it has a file of its own";
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

} // namespace
} // namespace filterd
