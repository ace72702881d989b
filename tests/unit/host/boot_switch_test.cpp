// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/boot_switch.hpp"
#include "edge/host/switch_watch.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

namespace fs = std::filesystem;

TEST(KernelCommandLine, TheLastParameterCounts) {
    EXPECT_TRUE(saysOff("quiet filterd=off\n"));
    EXPECT_TRUE(saysOff("filterd=on filterd=off"));
    EXPECT_FALSE(saysOff("filterd=off filterd=on"));
    EXPECT_FALSE(saysOff("filterd=offside xfilterd=off filterd"));
    EXPECT_FALSE(saysOff(""));
}

class BootSwitchTest : public testing::Test {
  protected:
    [[nodiscard]] Result<bool> start() const { return switchOffIfBootedOff(run_, temp_.path() / "cmdline"); }
    [[nodiscard]] bool enforcing() const { return SwitchWatch::create(run_)->enforcing(); }

    TempDirectory temp_;
    fs::path run_ = temp_.path() / "filterd";
};

TEST_F(BootSwitchTest, SwitchesOffForThisBoot) {
    temp_.write("cmdline", "root=/dev/sda filterd=off quiet\n");
    EXPECT_TRUE(start().value());
    EXPECT_FALSE(enforcing());
}

TEST_F(BootSwitchTest, StaysOnAfterFilterctlOnOverARestartOfTheDaemon) {
    temp_.write("cmdline", "filterd=off\n");
    ASSERT_TRUE(start().value());
    fs::remove(run_ / "off"); // what filterctl on does
    EXPECT_FALSE(start().value());
    EXPECT_TRUE(enforcing());
}

TEST_F(BootSwitchTest, LeavesFilterctlOffAsItIs) {
    temp_.write("cmdline", "quiet\n");
    temp_.write("filterd/off", "");
    EXPECT_FALSE(start().value());
    EXPECT_FALSE(enforcing());
}

TEST_F(BootSwitchTest, DoesNothingWithoutTheParameterOrWithoutACommandLine) {
    EXPECT_FALSE(start().value());
    temp_.write("cmdline", "quiet\n");
    EXPECT_FALSE(start().value());
    EXPECT_FALSE(fs::exists(run_));
}

TEST_F(BootSwitchTest, TellsWhenItCannotSwitchOff) {
    temp_.write("cmdline", "filterd=off\n");
    temp_.write("filterd", "a file where the directory belongs");
    EXPECT_FALSE(start());
}

} // namespace
} // namespace filterd
