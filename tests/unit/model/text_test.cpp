// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

TEST(Showable, LeavesTextAsItIs) {
    EXPECT_EQ(showable(""), "");
    EXPECT_EQ(showable("filter 'port@443': \xc3\xa4\xc2\xb5 \\x1b ~"),
              "filter 'port@443': \xc3\xa4\xc2\xb5 \\x1b ~");
}

TEST(Showable, EscapesControlCharacters) {
    EXPECT_EQ(showable(std::string_view("a\0b\t\x1b[2J\r\x7f", 10)), "a\\x00b\\x09\\x1b[2J\\x0d\\x7f");
    EXPECT_EQ(showable("\xc2\x9b[2J"), "\\x9b[2J");
    EXPECT_EQ(showable("\xc2"), "\xc2");
}

TEST(Showable, LetsNoLinePassForOneOfOurs) {
    EXPECT_EQ(showable("'x\nfilterd: info: all is well' is no name"),
              "'x\n    filterd: info: all is well' is no name");
}

} // namespace
} // namespace filterd
