// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>

namespace {

// What the worker tries would succeed outside of it: this process is root's.
TEST(Confinement, AWorkerCanDoNothingOfWhatItNeedNot) {
    const std::filesystem::path there = "/tmp/filterd-worker-there";
    std::ofstream(there) << "x";
    const int status = std::system("FILTERD_TEST_WORKER=try-out " WORKER);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << "so many things it could do";
    EXPECT_TRUE(std::filesystem::remove(there));
    EXPECT_FALSE(std::filesystem::exists("/tmp/filterd-worker-wrote"));
}

} // namespace
