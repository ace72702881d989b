// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/switch_watch.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gtest/gtest.h>

#include <poll.h>

namespace filterd {
namespace {

namespace fs = std::filesystem;

bool isReadable(int fd) {
    pollfd poll{fd, POLLIN, 0};
    return ::poll(&poll, 1, 5000) == 1;
}

class SwitchWatchTest : public testing::Test {
  protected:
    [[nodiscard]] SwitchWatch create() const {
        auto watch = SwitchWatch::create(temp_.path() / "filterd");
        EXPECT_TRUE(watch) << (watch ? "" : watch.error().message);
        return std::move(watch.value());
    }

    TempDirectory temp_;
};

TEST_F(SwitchWatchTest, EnforcesWithoutTheFlagAndMakesTheDirectory) {
    const auto watch = create();
    EXPECT_TRUE(watch.enforcing());
    EXPECT_TRUE(fs::is_directory(temp_.path() / "filterd"));
}

TEST_F(SwitchWatchTest, SeesAFlagThatWasThereBefore) {
    temp_.write("filterd/off", "");
    EXPECT_FALSE(create().enforcing());
}

TEST_F(SwitchWatchTest, FollowsTheFlag) {
    auto watch = create();
    temp_.write("filterd/off", "");
    ASSERT_TRUE(isReadable(watch.fd()));
    EXPECT_TRUE(watch.dispatch());
    EXPECT_FALSE(watch.enforcing());
    EXPECT_FALSE(watch.dispatch());

    fs::remove(temp_.path() / "filterd/off");
    ASSERT_TRUE(isReadable(watch.fd()));
    EXPECT_TRUE(watch.dispatch());
    EXPECT_TRUE(watch.enforcing());
}

TEST_F(SwitchWatchTest, IsNotMovedByOtherFiles) {
    auto watch = create();
    temp_.write("filterd/state.json", "{}");
    ASSERT_TRUE(isReadable(watch.fd()));
    EXPECT_FALSE(watch.dispatch());
    EXPECT_TRUE(watch.enforcing());
}

TEST_F(SwitchWatchTest, SeesAFlagThatIsRenamedIntoPlace) {
    auto watch = create();
    temp_.write("filterd/off.new", "");
    fs::rename(temp_.path() / "filterd/off.new", temp_.path() / "filterd/off");
    ASSERT_TRUE(isReadable(watch.fd()));
    EXPECT_TRUE(watch.dispatch());
}

TEST_F(SwitchWatchTest, OutlivesItsDirectory) {
    auto watch = create();
    fs::remove_all(temp_.path() / "filterd");
    ASSERT_TRUE(isReadable(watch.fd()));
    EXPECT_FALSE(watch.dispatch());
    EXPECT_FALSE(watch.dispatch());
    temp_.write("filterd/off", "");
    ASSERT_TRUE(isReadable(watch.fd()));
    EXPECT_TRUE(watch.dispatch());
    EXPECT_FALSE(watch.enforcing());
}

} // namespace
} // namespace filterd
