// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/crash_files.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace filterd {
namespace {

class CrashFilesTest : public testing::Test {
  protected:
    // A daemon that is killed where `step` ends.
    void daemonDies(const std::function<void(CrashFiles&)>& step) {
        const auto pid = ::fork();
        if (pid == 0) {
            CrashFiles crashes(temp.path());
            step(crashes);
            ::kill(::getpid(), SIGKILL);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        ASSERT_TRUE(WIFSIGNALED(status));
    }

    [[nodiscard]] bool isBlamed(const std::string& thing) {
        return CrashFiles(temp.path()).against(thing).has_value();
    }

    TempDirectory temp;
};

TEST_F(CrashFilesTest, WhatIsDoneAtTheSecondDeathIsToBlame) {
    const auto step = [](CrashFiles& crashes) { crashes.doing("read the files"); };
    daemonDies(step);
    EXPECT_FALSE(isBlamed("read the files")) << "once may be chance";
    daemonDies(step);
    const CrashFiles next(temp.path());
    const auto reason = next.against("read the files");
    ASSERT_TRUE(reason);
    EXPECT_EQ(*reason, "filterd has ended twice while it was at it; it is not tried again until somebody "
                       "asks for it: 'filterctl reload' does");
    EXPECT_FALSE(next.against("load filter web"));
}

TEST_F(CrashFilesTest, WhoEndsWhileNothingIsDoneBlamesNothing) {
    for (int times = 0; times < 3; ++times)
        daemonDies([](CrashFiles& crashes) { const Doing doing(crashes, "read the files"); });
    EXPECT_FALSE(isBlamed("read the files"));
}

TEST_F(CrashFilesTest, WhatWentWellInBetweenIsForgiven) {
    const auto dies = [](CrashFiles& crashes) { crashes.doing("load filter web"); };
    daemonDies(dies);
    daemonDies([](CrashFiles& crashes) {
        Doing doing(crashes, "load filter web");
        doing.isDone();
    });
    daemonDies(dies);
    EXPECT_FALSE(isBlamed("load filter web"));
    daemonDies(dies);
    EXPECT_TRUE(isBlamed("load filter web"));
}

TEST_F(CrashFilesTest, WhatHasEndedAWorkerIsRememberedUntilSomebodyAsks) {
    CrashFiles(temp.path()).blame("3fa2", "it ended the process that read it");
    ASSERT_TRUE(isBlamed("3fa2"));
    CrashFiles(temp.path()).forgiveAll();
    EXPECT_FALSE(isBlamed("3fa2"));
}

TEST_F(CrashFilesTest, DamagedFilesAreWrittenAnew) {
    std::ofstream(temp.path() / "crashes") << "[{\"thing\": 7";
    CrashFiles crashes(temp.path());
    EXPECT_FALSE(crashes.against("7"));
    crashes.blame("7", "so");
    EXPECT_TRUE(isBlamed("7"));
}

TEST_F(CrashFilesTest, MoreThingsThanThereIsRoomForAreTriedAgain) {
    CrashFiles crashes(temp.path());
    for (int thing = 0; thing < 300; ++thing)
        crashes.blame(std::to_string(thing), "so");
    EXPECT_TRUE(crashes.against("255"));
    EXPECT_FALSE(crashes.against("256"));
    crashes.forgive("7");
    crashes.blame("256", "so");
    EXPECT_TRUE(isBlamed("256"));
}

TEST_F(CrashFilesTest, WhereNothingCanBeWrittenNothingIsRemembered) {
    CrashFiles crashes(temp.path() / "missing");
    crashes.doing("read the files");
    crashes.blame("7", "so");
    EXPECT_FALSE(CrashFiles(temp.path() / "missing").against("7"));
}

} // namespace
} // namespace filterd
