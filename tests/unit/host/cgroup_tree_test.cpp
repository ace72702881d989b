// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/cgroup_tree.hpp"
#include "edge/host/cgroup_watch.hpp"
#include "kernel/cgroup_directory.hpp"
#include "kernel/mounts.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/stat.h>

namespace filterd {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

// The cgroup this process is in, as a directory on cgroup2; empty where there is none to write to.
std::string ownCgroup() {
    const auto mount = cgroup2Mount();
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; mount && std::getline(file, line);)
        if (line.starts_with("0::/"))
            return *mount + line.substr(3);
    return {};
}

// An empty tree of cgroups below the process's own, removed with the test.
class CgroupFsTest : public testing::Test {
  protected:
    void SetUp() override {
        if (const auto own = ownCgroup(); !own.empty())
            root_ = fs::path(own) / ("filterd-test-" + std::to_string(::getpid()));
        if (root_.empty() || ::mkdir(root_.c_str(), 0755) < 0) {
            root_.clear();
            GTEST_SKIP() << "no cgroup2 to write to";
        }
    }
    void TearDown() override {
        if (!root_.empty())
            removeTree(root_);
    }

    // The files of a cgroup cannot be removed; its directory can.
    static void removeTree(const fs::path& directory) {
        std::error_code ignored;
        std::vector<fs::path> children;
        for (const auto& entry : fs::directory_iterator(directory, ignored))
            if (entry.is_directory(ignored))
                children.push_back(entry.path());
        for (const auto& child : children)
            removeTree(child);
        ::rmdir(directory.c_str());
    }

    CgroupId make(const std::string& path) const {
        EXPECT_EQ(::mkdir((root_.string() + path).c_str(), 0755), 0) << path;
        return idAt(path);
    }
    void remove(const std::string& path) const {
        EXPECT_EQ(::rmdir((root_.string() + path).c_str()), 0) << path;
    }
    [[nodiscard]] CgroupId idAt(const std::string& path) const {
        struct stat info {};
        EXPECT_EQ(::stat((root_.string() + path).c_str(), &info), 0) << path;
        return {info.st_ino};
    }

    [[nodiscard]] CgroupFs tree() const { return std::move(CgroupFs::create(root_.string()).value()); }
    [[nodiscard]] CgroupWatch watch() const { return std::move(CgroupWatch::create(root_.string()).value()); }

    fs::path root_;
};

// Everything that has happened up to now, as "+PATH", "-UNIT", "?PATH" and "rescan".
std::vector<std::string> drain(CgroupWatch& watch) {
    std::vector<std::string> lines;
    for (pollfd poll{watch.fd(), POLLIN, 0}; ::poll(&poll, 1, 0) == 1;)
        for (const auto& event : watch.dispatch())
            if (const auto* appeared = std::get_if<CgroupAppeared>(&event))
                lines.push_back("+" + appeared->cgroup.cgroup.path);
            else if (const auto* vanished = std::get_if<CgroupVanished>(&event))
                lines.push_back("-" + vanished->unit);
            else if (const auto* missed = std::get_if<CgroupMissed>(&event))
                lines.push_back("?" + missed->path);
            else
                lines.emplace_back("rescan");
    return lines;
}

TEST_F(CgroupFsTest, ListsUnitsBelowNothingButSlices) {
    const auto system = make("/system.slice");
    const auto nginx = make("/system.slice/nginx.service");
    make("/system.slice/nginx.service/inner.service");
    const auto web = make("/system.slice/system-web.slice");
    const auto web1 = make("/system.slice/system-web.slice/web@1.service");
    const auto cpu = make("/system.slice/_cpu.service");
    make("/system.slice/notaunit");
    make("/other");
    make("/other/x.service");
    const auto init = make("/init.scope");
    EXPECT_THAT(tree().units(),
                UnorderedElementsAre(
                    UnitCgroup{"-.slice", {idAt(""), "/"}},
                    UnitCgroup{"system.slice", {system, "/system.slice"}},
                    UnitCgroup{"nginx.service", {nginx, "/system.slice/nginx.service"}},
                    UnitCgroup{"system-web.slice", {web, "/system.slice/system-web.slice"}},
                    UnitCgroup{"web@1.service", {web1, "/system.slice/system-web.slice/web@1.service"}},
                    UnitCgroup{"cpu.service", {cpu, "/system.slice/_cpu.service"}},
                    UnitCgroup{"init.scope", {init, "/init.scope"}}));
}

TEST_F(CgroupFsTest, ListsUnitsOfUsersManagersWithTheirManager) {
    const std::string anna = "/user.slice/user-1000.slice/user@1000.service";
    make("/user.slice");
    make("/user.slice/user-1000.slice");
    const auto manager = make(anna);
    const auto slice = make(anna + "/app.slice");
    const auto app = make(anna + "/app.slice/app.service");
    make(anna + "/app.slice/app.service/inner.service");
    const auto played = make(anna + "/user@1001.service");
    make(anna + "/user@1001.service/app.service");
    const auto units = tree().units();
    EXPECT_THAT(units, Contains(UnitCgroup{"user@1000.service", {manager, anna}}));
    EXPECT_THAT(units, Contains(UnitCgroup{"user@1000.service/app.slice", {slice, anna + "/app.slice"}}));
    EXPECT_THAT(
        units, Contains(UnitCgroup{"user@1000.service/app.service", {app, anna + "/app.slice/app.service"}}));
    EXPECT_THAT(units, Contains(UnitCgroup{"user@1000.service/user@1001.service",
                                           {played, anna + "/user@1001.service"}}));
    EXPECT_EQ(units.size(), 7U);
}

TEST_F(CgroupFsTest, LooksAtSoManyUnitsOfOneUserAndAtEveryOther) {
    make("/user@1000.service");
    make("/user@1001.service");
    for (std::size_t i = 0; i < kMaxUnitsOfManager + 10; ++i)
        make("/user@1000.service/" + std::to_string(i) + ".service");
    make("/user@1001.service/a.service");
    EXPECT_EQ(tree().units().size(), kMaxUnitsOfManager + 4);
}

TEST_F(CgroupFsTest, ReportsUnitsOfUsersManagers) {
    make("/user@1000.service");
    auto watched = watch();
    make("/user@1000.service/app.slice");
    const auto app = make("/user@1000.service/app.slice/a.service");
    EXPECT_THAT(drain(watched), UnorderedElementsAre("+/user@1000.service/app.slice",
                                                     "+/user@1000.service/app.slice/a.service"));
    remove("/user@1000.service/app.slice/a.service");
    EXPECT_THAT(watched.dispatch(), ElementsAre(CgroupVanished{app, "user@1000.service/a.service"}));
}

TEST_F(CgroupFsTest, FindsBothFormsOfAPath) {
    make("/a.slice");
    const auto id = make("/a.slice/x.scope");
    const Cgroup expected{id, "/a.slice/x.scope"};
    auto fs = tree();
    EXPECT_EQ(fs.find("/a.slice/x.scope").value(), expected);
    EXPECT_EQ(fs.find("//a.slice/./x.scope/").value(), expected);
    EXPECT_EQ(fs.find(root_.string() + "/a.slice/x.scope").value(), expected);
    EXPECT_EQ(fs.find("/").value(), (Cgroup{idAt(""), "/"}));
    EXPECT_EQ(fs.find(root_.string()).value(), (Cgroup{idAt(""), "/"}));
}

TEST_F(CgroupFsTest, RefusesPathsWithoutACgroup) {
    make("/a.slice");
    auto fs = tree();
    for (const std::string missing : {"/b.slice", "/a.slice/x.service", "/a.slice/cgroup.procs"})
        EXPECT_EQ(fs.find(missing).error().code, ErrorCode::NoSuchCgroup) << missing;
    EXPECT_EQ(fs.find("/" + std::string(5000, 'x')).error().code, ErrorCode::NoSuchCgroup);
    for (const std::string odd : {"", "a.slice", "/a.slice/..", "/../x", "/a.slice/../a.slice"})
        EXPECT_EQ(fs.find(odd).error().code, ErrorCode::InvalidName) << odd;
}

TEST_F(CgroupFsTest, OpensOnlyTheCgroupOfTheId) {
    const auto old = make("/x.service");
    auto fs = tree();
    EXPECT_TRUE(fs.open({old, "/x.service"}));
    remove("/x.service");
    EXPECT_EQ(fs.open({old, "/x.service"}).error().code, ErrorCode::NoSuchCgroup);
    const auto recent = make("/x.service");
    EXPECT_EQ(fs.open({old, "/x.service"}).error().code, ErrorCode::NoSuchCgroup);
    EXPECT_TRUE(fs.open({recent, "/x.service"}));
    EXPECT_TRUE(fs.open(fs.find("/").value()));
}

TEST_F(CgroupFsTest, ReportsWhatAppearsAndVanishes) {
    make("/system.slice");
    const auto before = make("/system.slice/before.service");
    auto watched = watch();
    EXPECT_THAT(drain(watched), IsEmpty());
    const auto id = make("/system.slice/_cpu.service");
    EXPECT_THAT(watched.dispatch(),
                ElementsAre(CgroupAppeared{{"cpu.service", {id, "/system.slice/_cpu.service"}}}));
    remove("/system.slice/_cpu.service");
    remove("/system.slice/before.service");
    EXPECT_THAT(watched.dispatch(),
                ElementsAre(CgroupVanished{id, "cpu.service"}, CgroupVanished{before, "before.service"}));
}

TEST_F(CgroupFsTest, SeesWhatIsInANewSliceBeforeItIsWatched) {
    auto watched = watch();
    make("/a.slice");
    make("/a.slice/a-b.slice");
    make("/a.slice/a-b.slice/x.service");
    EXPECT_THAT(drain(watched),
                ElementsAre("+/a.slice", "+/a.slice/a-b.slice", "+/a.slice/a-b.slice/x.service"));
    make("/a.slice/a-b.slice/y.service");
    make("/a.slice/a-b.slice/y.service/z.service");
    EXPECT_THAT(drain(watched), ElementsAre("+/a.slice/a-b.slice/y.service"));
}

TEST_F(CgroupFsTest, LosesASliceWithWhatWasInIt) {
    make("/a.slice");
    make("/a.slice/x.service");
    auto watched = watch();
    remove("/a.slice/x.service");
    remove("/a.slice");
    EXPECT_THAT(drain(watched), ElementsAre("-x.service", "-a.slice"));
    make("/a.slice");
    make("/a.slice/x.service");
    EXPECT_THAT(drain(watched), ElementsAre("+/a.slice", "+/a.slice/x.service"));
}

TEST_F(CgroupFsTest, TakesOldEventsForNothingButAHint) {
    make("/a.slice");
    const auto first = make("/a.slice/x.service");
    auto watched = watch();
    remove("/a.slice/x.service");
    make("/a.slice/x.service");
    remove("/a.slice/x.service");
    remove("/a.slice");
    make("/a.slice");
    const auto last = make("/a.slice/x.service");
    ASSERT_NE(first, last);
    EXPECT_THAT(drain(watched), ElementsAre("-x.service", "+/a.slice/x.service", "-x.service", "-a.slice",
                                            "+/a.slice", "+/a.slice/x.service"));
    make("/a.slice/y.service");
    EXPECT_THAT(drain(watched), ElementsAre("+/a.slice/y.service"));
}

TEST_F(CgroupFsTest, SaysWhatItHasMissed) {
    auto watched = watch();
    make("/x.scope");
    remove("/x.scope");
    EXPECT_THAT(drain(watched), ElementsAre("?/x.scope"));
}

TEST_F(CgroupFsTest, CopesWithManyUnits) {
    constexpr int kUnits = 2000;
    make("/a.slice");
    auto watched = watch();
    for (int i = 0; i < kUnits; ++i)
        make("/a.slice/u" + std::to_string(i) + ".service");
    EXPECT_EQ(drain(watched).size(), kUnits);
    EXPECT_EQ(tree().units().size(), kUnits + 2);
    for (int i = 0; i < kUnits; ++i)
        remove("/a.slice/u" + std::to_string(i) + ".service");
    EXPECT_EQ(drain(watched).size(), kUnits);
}

TEST_F(CgroupFsTest, TellsOfFollowedCgroupsThatAreNoUnits) {
    make("/bare");
    make("/bare/old");
    make("/system.slice");
    make("/system.slice/pods.service");
    auto watched = watch();
    watched.follow({"/bare/old", "/late/deep/inner", "/system.slice/pods.service/x"});
    EXPECT_THAT(drain(watched), IsEmpty());
    make("/bare/other");
    make("/late");
    make("/late/deep");
    make("/late/deep/inner");
    make("/system.slice/pods.service/x");
    make("/system.slice/pods.service/y.service");
    EXPECT_THAT(drain(watched), UnorderedElementsAre("+/late/deep/inner", "+/system.slice/pods.service/x"));
    remove("/bare/old");
    EXPECT_THAT(drain(watched), ElementsAre("-/bare/old"));
    make("/bare/old");
    remove("/late/deep/inner");
    EXPECT_THAT(drain(watched), UnorderedElementsAre("+/bare/old", "-/late/deep/inner"));
    remove("/late/deep");
    remove("/late");
    make("/late");
    make("/late/deep");
    make("/late/deep/inner");
    EXPECT_THAT(drain(watched), Contains("+/late/deep/inner"));
    watched.follow({});
    remove("/bare/old");
    make("/bare/old");
    EXPECT_THAT(drain(watched), Not(Contains("+/bare/old")));
}

// Directories elsewhere behave alike, and a flood of them is cheaper than one of cgroups.
TEST(CgroupWatch, FindsEverythingAgainAfterAnOverflow) {
    std::size_t limit = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
    if (limit == 0 || limit > 50'000)
        GTEST_SKIP() << "the queue of inotify is too long to overflow it";
    const TempDirectory temp;
    fs::create_directories(temp.path() / "a.slice/old.service");
    auto watched = std::move(CgroupWatch::create(temp.path().string()).value());
    for (std::size_t i = 0; i <= limit / 2; ++i) {
        fs::create_directory(temp.path() / "a.slice/busy.service");
        fs::remove(temp.path() / "a.slice/busy.service");
    }
    fs::remove(temp.path() / "a.slice/old.service");
    fs::create_directory(temp.path() / "a.slice/new.service");
    fs::create_directories(temp.path() / "b.slice/x.service");
    auto lines = drain(watched);
    EXPECT_GT(std::erase(lines, "?/a.slice/busy.service"), 0U);
    EXPECT_THAT(lines, UnorderedElementsAre("-old.service", "+/a.slice/new.service", "+/b.slice",
                                            "+/b.slice/x.service", "rescan"));

    fs::create_directory(temp.path() / "b.slice/y.service");
    EXPECT_THAT(drain(watched), ElementsAre("+/b.slice/y.service"));
}

TEST(CgroupMount, IsTheWholeTreeBeforeAPart) {
    const TempDirectory temp;
    temp.write("mountinfo",
               "22 1 0:20 / /proc rw - proc proc rw\n"
               "29 1 0:20 / /mnt/\\odd rw - tmpfs tmpfs rw\n"
               "30 1 0:28 /part /mnt/part rw,relatime shared:4 - cgroup2 cgroup2 rw\n"
               "31 1 0:27 / /sys/fs/cgroup/unified rw - cgroup cgroup rw,cpu\n"
               "32 1 0:28 / /sys/fs/c\\040g rw shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate\n");
    EXPECT_EQ(cgroup2Mount(temp.path() / "mountinfo").value(), "/sys/fs/c g");
    temp.write("mountinfo", "30 1 0:28 /part /mnt/part rw,relatime shared:4 - cgroup2 cgroup2 rw\n");
    EXPECT_EQ(cgroup2Mount(temp.path() / "mountinfo").value(), "/mnt/part");
}

TEST(CgroupMount, IsMissingWithAWayOut) {
    const TempDirectory temp;
    temp.write("mountinfo", "22 1 0:20 / /proc rw - proc proc rw\nodd\n\n");
    const auto mount = cgroup2Mount(temp.path() / "mountinfo");
    ASSERT_FALSE(mount);
    EXPECT_EQ(mount.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(mount.error().message, HasSubstr("/sys/fs/cgroup"));
}

} // namespace
} // namespace filterd
