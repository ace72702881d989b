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

TEST(Text, IsCutBetweenCharacters) {
    const std::string umlauts = "a\xc3\xa4\xe2\x82\xac"; // of one, two and three bytes
    EXPECT_EQ(beginningOf(umlauts, 6), umlauts);
    EXPECT_EQ(beginningOf(umlauts, 5), umlauts.substr(0, 3));
    EXPECT_EQ(beginningOf(umlauts, 3), umlauts.substr(0, 3));
    EXPECT_EQ(beginningOf(umlauts, 2), "a");
    EXPECT_EQ(beginningOf(umlauts, 0), "");
    EXPECT_EQ(endOf(umlauts, 6), umlauts);
    EXPECT_EQ(endOf(umlauts, 5), umlauts.substr(1));
    EXPECT_EQ(endOf(umlauts, 4), umlauts.substr(3));
    EXPECT_EQ(endOf(umlauts, 2), "");
    EXPECT_EQ(beginningOf("\x80\x80\x80", 2), "") << "no text at all";
}

} // namespace
} // namespace filterd
