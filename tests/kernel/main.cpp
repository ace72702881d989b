// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// A filter that matches no test is a mistake, and not a success.

#include <gtest/gtest.h>

#include <cstdio>

int main(int argumentCount, char** arguments) {
    ::testing::InitGoogleTest(&argumentCount, arguments);
    const int status = RUN_ALL_TESTS();
    if (::testing::GTEST_FLAG(list_tests) || ::testing::UnitTest::GetInstance()->test_to_run_count() > 0)
        return status;
    std::fputs("no test matches the filter\n", stderr);
    return 1;
}
