// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterctl off|on on real pins, links and cgroups: without daemon and bus, and killed at every step (I8).

#include "base/unique_fd.hpp"
#include "kernel/mounts.hpp"
#include "rescue/cgroups.hpp"
#include "rescue/rescue.hpp"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace filterd::rescue {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBpffs = "/sys/fs/bpf";

UniqueFd loadProgram(int verdict) {
    const std::array<bpf_insn, 2> code{
        bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K,
                 .dst_reg = BPF_REG_0,
                 .src_reg = 0,
                 .off = 0,
                 .imm = verdict},
        bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    return UniqueFd(
        bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "rescue_test", "GPL", code.data(), code.size(), nullptr));
}

std::uint32_t idOf(int program) {
    bpf_prog_info info{};
    __u32 size = sizeof info;
    return bpf_obj_get_info_by_fd(program, &info, &size) < 0 ? 0 : info.id;
}

// The kernel detaches what was unpinned a little later.
bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

class RescueTest : public testing::Test {
  protected:
    Roots roots_;
    std::vector<fs::path> cgroups_;

    void SetUp() override {
        struct statfs info {};
        if (::geteuid() != 0 || ::statfs(kBpffs, &info) < 0 || info.f_type != BPF_FS_MAGIC)
            GTEST_SKIP() << "needs root and a BPF file system at " << kBpffs;
        const std::string name = "filterd-rescue-test-" + std::to_string(::getpid());
        std::string run = fs::temp_directory_path() / "filterd-rescue-XXXXXX";
        ASSERT_NE(::mkdtemp(run.data()), nullptr);
        roots_.run = run;
        roots_.pins = fs::path(kBpffs) / name;
        roots_.cgroups = fs::path(cgroup2Mount().value()) / name;
        fs::create_directory(roots_.cgroups);
        fs::create_directories(roots_.links());
        fs::create_directories(roots_.guard() / "v1");
    }

    void TearDown() override {
        if (roots_.pins.empty() || roots_.cgroups.empty())
            return;
        fs::remove_all(roots_.pins);
        fs::remove_all(roots_.run);
        for (auto cgroup = cgroups_.rbegin(); cgroup != cgroups_.rend(); ++cgroup)
            ::rmdir(cgroup->c_str());
        ::rmdir(roots_.cgroups.c_str());
    }

    fs::path makeCgroup(const std::string& path) {
        cgroups_.push_back(roots_.cgroups / path);
        fs::create_directory(cgroups_.back());
        return cgroups_.back();
    }

    static std::uint64_t cgroupId(const fs::path& cgroup) {
        struct stat info {};
        return ::stat(cgroup.c_str(), &info) < 0 ? 0 : info.st_ino;
    }

    // Does what the daemon does: link, then pin by the cgroup's id and the direction.
    void attach(const fs::path& cgroup, bpf_attach_type type, int program, const std::string& suffix = {}) {
        const UniqueFd fd(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        const UniqueFd link(bpf_link_create(program, fd.get(), type, nullptr));
        ASSERT_TRUE(link);
        char name[64];
        std::snprintf(name, sizeof name, "%016llx-%s%s", static_cast<unsigned long long>(cgroupId(cgroup)),
                      type == BPF_CGROUP_INET_INGRESS ? "ingress" : "egress", suffix.c_str());
        ASSERT_EQ(bpf_obj_pin(link.get(), (roots_.links() / name).c_str()), 0);
    }

    static std::vector<std::uint32_t> attached(const fs::path& cgroup, bpf_attach_type type) {
        const UniqueFd fd(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        std::array<__u32, 64> ids{};
        __u32 count = ids.size();
        if (bpf_prog_query(fd.get(), type, 0, nullptr, ids.data(), &count) < 0)
            count = 0;
        return {ids.begin(), ids.begin() + count};
    }

    // Two units that share a program, one of them with a queue of two links as well.
    struct Scene {
        fs::path web;
        fs::path ssh;
        std::uint32_t shared = 0;
        std::vector<std::uint32_t> egress;

        [[nodiscard]] bool inForce() const {
            return eventually([&] {
                return attached(web, BPF_CGROUP_INET_INGRESS) == std::vector{shared} &&
                       attached(ssh, BPF_CGROUP_INET_INGRESS) == std::vector{shared} &&
                       attached(web, BPF_CGROUP_INET_EGRESS) == egress;
            });
        }
        [[nodiscard]] bool free() const {
            return eventually([&] {
                return attached(web, BPF_CGROUP_INET_INGRESS).empty() &&
                       attached(ssh, BPF_CGROUP_INET_INGRESS).empty() &&
                       attached(web, BPF_CGROUP_INET_EGRESS).empty();
            });
        }
    };

    Scene makeScene() {
        const fs::path slice = makeCgroup("system.slice");
        Scene scene;
        scene.web = makeCgroup("system.slice/web.service");
        scene.ssh = makeCgroup("system.slice/ssh.service");
        const auto shared = loadProgram(1);
        const auto first = loadProgram(1);
        const auto second = loadProgram(1);
        scene.shared = idOf(shared.get());
        scene.egress = {idOf(first.get()), idOf(second.get())};
        attach(scene.web, BPF_CGROUP_INET_INGRESS, shared.get());
        attach(scene.ssh, BPF_CGROUP_INET_INGRESS, shared.get());
        attach(scene.web, BPF_CGROUP_INET_EGRESS, first.get(), "-9-00");
        attach(scene.web, BPF_CGROUP_INET_EGRESS, second.get(), "-10-01");
        return scene;
    }

    [[nodiscard]] std::size_t countPins(const fs::path& directory) const {
        std::error_code error;
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory, error), fs::directory_iterator()));
    }

    static std::size_t count(const Report& report, Outcome outcome) {
        return static_cast<std::size_t>(
            std::count_if(report.steps.begin(), report.steps.end(),
                          [&](const Step& step) { return step.outcome == outcome; }));
    }

    // In a process with mounts of its own.
    template<typename Function>
    static bool withOwnMounts(Function function) {
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(::unshare(CLONE_NEWNS) == 0 &&
                            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 && function()
                        ? 0
                        : 1);
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

    // In a process of its own that dies after `steps` steps. False when it came to its end before.
    template<typename Function>
    bool killAfter(int steps, Function function) {
        const pid_t child = ::fork();
        if (child == 0) {
            Roots roots = roots_;
            roots.afterStep = [&] {
                if (steps-- == 0)
                    ::_exit(9);
            };
            ::_exit(function(roots) ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_NE(WEXITSTATUS(status), 1);
        return WEXITSTATUS(status) == 9;
    }
};

// Where a part of the tree is mounted at the usual place, the daemon takes the mount of the whole.
TEST_F(RescueTest, OffNamesCgroupsOfTheMountThatTheDaemonChooses) {
    const Scene scene = makeScene();
    const auto usual = cgroup2Mount().value();
    const auto part = roots_.cgroups.filename();
    const fs::path whole = roots_.run / "whole";
    fs::create_directory(whole);
    EXPECT_TRUE(withOwnMounts([&] {
        if (::mount(usual.c_str(), whole.c_str(), nullptr, MS_BIND, nullptr) < 0 ||
            ::umount2(usual.c_str(), MNT_DETACH) < 0 ||
            ::mount((whole / part).c_str(), usual.c_str(), nullptr, MS_BIND, nullptr) < 0)
            return false;
        Roots roots = roots_;
        roots.cgroups.clear();
        const auto off = switchOff(roots);
        return cgroup2Mount().value() == whole && off && off->steps.size() == 4 &&
               std::all_of(off->steps.begin(), off->steps.end(), [&](const Step& step) {
                   return step.cgroup.starts_with("/" + part.string() + "/system.slice/");
               });
    }));
    EXPECT_TRUE(scene.free());
    EXPECT_TRUE(switchOn(roots_));
    EXPECT_TRUE(scene.inForce());
}

TEST_F(RescueTest, OnForgetsNothingWhileCgroup2IsNotMounted) {
    const Scene scene = makeScene();
    ASSERT_TRUE(switchOff(roots_));
    EXPECT_TRUE(withOwnMounts([&] {
        while (const auto mount = cgroup2Mount())
            if (::umount2(mount->c_str(), MNT_DETACH) < 0)
                return false;
        Roots roots = roots_;
        roots.cgroups.clear();
        return !switchOn(roots);
    }));
    EXPECT_TRUE(isOff(roots_));
    ASSERT_TRUE(switchOn(roots_));
    EXPECT_TRUE(scene.inForce());
}

TEST_F(RescueTest, OffRemovesAndOnRestores) {
    const Scene scene = makeScene();
    ASSERT_TRUE(scene.inForce());
    const auto off = switchOff(roots_);
    ASSERT_TRUE(off) << off.error().message;
    EXPECT_TRUE(scene.free());
    EXPECT_TRUE(isOff(roots_));
    EXPECT_EQ(count(*off, Outcome::Removed), 4U);
    EXPECT_EQ(off->steps.front().cgroup.substr(0, 14), "/system.slice/");
    EXPECT_TRUE(off->warnings.empty());

    const auto on = switchOn(roots_);
    ASSERT_TRUE(on) << on.error().message;
    EXPECT_TRUE(scene.inForce());
    EXPECT_EQ(count(*on, Outcome::Restored), 4U);
    EXPECT_FALSE(isOff(roots_));
    EXPECT_FALSE(fs::exists(roots_.record()));
    EXPECT_FALSE(fs::exists(roots_.kept()));
    EXPECT_EQ(countPins(roots_.links()), 4U);
}

TEST_F(RescueTest, BothCanBeRepeated) {
    const Scene scene = makeScene();
    ASSERT_TRUE(switchOff(roots_));
    const auto again = switchOff(roots_);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->steps.empty());
    ASSERT_TRUE(switchOn(roots_));
    EXPECT_TRUE(scene.inForce());
    const auto onAgain = switchOn(roots_);
    ASSERT_TRUE(onAgain);
    EXPECT_TRUE(onAgain->steps.empty());
    EXPECT_TRUE(scene.inForce());
}

TEST_F(RescueTest, OffKilledAnywhereIsCompletedByTheNextOff) {
    const Scene scene = makeScene();
    int steps = 0;
    while (killAfter(steps, [](const Roots& roots) { return switchOff(roots).has_value(); })) {
        ASSERT_TRUE(switchOff(roots_)) << steps;
        EXPECT_TRUE(scene.free()) << steps;
        ASSERT_TRUE(switchOn(roots_)) << steps;
        ASSERT_TRUE(scene.inForce()) << steps;
        ++steps;
    }
    EXPECT_GE(steps, 5);
}

TEST_F(RescueTest, OffKilledAnywhereIsUndoneByOn) {
    const Scene scene = makeScene();
    for (int steps = 0; killAfter(steps, [](const Roots& roots) { return switchOff(roots).has_value(); });
         ++steps) {
        ASSERT_TRUE(switchOn(roots_)) << steps;
        ASSERT_TRUE(scene.inForce()) << steps;
        EXPECT_FALSE(isOff(roots_)) << steps;
    }
}

TEST_F(RescueTest, OnKilledAnywhereIsCompletedByTheNextOn) {
    const Scene scene = makeScene();
    int steps = 0;
    ASSERT_TRUE(switchOff(roots_));
    while (killAfter(steps, [](const Roots& roots) { return switchOn(roots).has_value(); })) {
        ASSERT_TRUE(switchOn(roots_)) << steps;
        ASSERT_TRUE(scene.inForce()) << steps;
        EXPECT_FALSE(isOff(roots_)) << steps;
        EXPECT_FALSE(fs::exists(roots_.kept())) << steps;
        ASSERT_TRUE(switchOff(roots_)) << steps;
        ++steps;
    }
    EXPECT_GE(steps, 5);
}

TEST_F(RescueTest, ACgroupThatIsGoneIsPassedOver) {
    const Scene scene = makeScene();
    ASSERT_TRUE(switchOff(roots_));
    ASSERT_EQ(::rmdir(scene.ssh.c_str()), 0);
    fs::create_directory(scene.ssh); // the same path is another cgroup
    const auto on = switchOn(roots_);
    ASSERT_TRUE(on);
    EXPECT_EQ(count(*on, Outcome::Gone), 1U);
    EXPECT_EQ(count(*on, Outcome::Restored), 3U);
    EXPECT_TRUE(attached(scene.ssh, BPF_CGROUP_INET_INGRESS).empty());
}

TEST_F(RescueTest, WhatIsBeingMadeAndTheGuardAreRemovedButNotRestored) {
    const fs::path slice = makeCgroup("guarded.slice");
    const auto program = loadProgram(1);
    const UniqueFd fd(::open(slice.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const auto& pin :
         {roots_.links() / "~0000000000000001-ingress", roots_.guard() / "v1/link_gate_ingress"}) {
        const UniqueFd link(bpf_link_create(program.get(), fd.get(), BPF_CGROUP_INET_INGRESS, nullptr));
        ASSERT_EQ(bpf_obj_pin(link.get(), pin.c_str()), 0);
    }
    ASSERT_EQ(bpf_obj_pin(program.get(), (roots_.guard() / "v1/gate_ingress").c_str()), 0);

    const auto off = switchOff(roots_);
    ASSERT_TRUE(off) << off.error().message;
    EXPECT_EQ(off->guardLinks, 1U);
    EXPECT_TRUE(eventually([&] { return attached(slice, BPF_CGROUP_INET_INGRESS).empty(); }));
    EXPECT_TRUE(fs::exists(roots_.guard() / "v1/gate_ingress"));
    const auto on = switchOn(roots_);
    ASSERT_TRUE(on);
    EXPECT_TRUE(on->steps.empty());
    EXPECT_TRUE(attached(slice, BPF_CGROUP_INET_INGRESS).empty());
}

TEST_F(RescueTest, NothingIsRemovedWithoutARecord) {
    const Scene scene = makeScene();
    fs::create_directory(roots_.run / "off.json.new"); // the record cannot be staged
    const auto off = switchOff(roots_);
    ASSERT_FALSE(off);
    EXPECT_TRUE(scene.inForce());
    EXPECT_FALSE(isOff(roots_));
}

TEST_F(RescueTest, ADamagedRecordHindersNeither) {
    const Scene scene = makeScene();
    std::ofstream(roots_.record()) << "{";
    const auto off = switchOff(roots_);
    ASSERT_TRUE(off);
    EXPECT_EQ(off->warnings.size(), 1U);
    EXPECT_TRUE(scene.free());
    std::ofstream(roots_.record()) << "{\"links\": [{}]}";
    const auto on = switchOn(roots_);
    ASSERT_TRUE(on);
    EXPECT_EQ(on->warnings.size(), 1U);
    EXPECT_FALSE(isOff(roots_));
}

TEST_F(RescueTest, WorksWhereFilterdNeverRan) {
    fs::remove_all(roots_.pins);
    fs::remove_all(roots_.run);
    EXPECT_TRUE(switchOff(roots_));
    EXPECT_TRUE(isOff(roots_));
    EXPECT_TRUE(switchOn(roots_));
    EXPECT_FALSE(isOff(roots_));
}

} // namespace
} // namespace filterd::rescue
