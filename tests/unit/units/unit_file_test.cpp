// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/syntax/unit_file.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

std::vector<UnitFileEntry> entries(std::string_view text, SectionPredicate wanted = isNotForeign) {
    auto file = parseUnitFile("f", text, wanted);
    EXPECT_TRUE(file) << (file ? "" : file.error().message);
    return file ? file->entries : std::vector<UnitFileEntry>{};
}

std::string errorOf(std::string_view text) {
    const auto file = parseUnitFile("/etc/x.queue", text);
    EXPECT_FALSE(file) << text;
    if (file)
        return {};
    EXPECT_EQ(file.error().code, ErrorCode::BadConfiguration);
    return file.error().message;
}

using Entries = std::vector<UnitFileEntry>;

TEST(UnitFile, ReadsSectionsAndRepeatedKeysInOrder) {
    EXPECT_EQ(entries("[A]\nx=1\nx=2\n[B]\ny = z w \n[A]\nx="),
              (Entries{{"A", "x", "1", 2}, {"A", "x", "2", 3}, {"B", "y", "z w", 5}, {"A", "x", "", 7}}));
}

TEST(UnitFile, TellsSectionsWithoutEntries) {
    const auto file = parseUnitFile("f", "\n[A]\n[B]\n");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->sections, (std::vector<UnitFileSection>{{"A", 2}, {"B", 3}}));
    EXPECT_TRUE(file->entries.empty());
}

TEST(UnitFile, SkipsCommentsAndBlankLines) {
    EXPECT_EQ(entries("# a\n; b = c\n\n  \t\n  # d\n[A]\n x=#no comment\n;\xff\xfe\n"),
              (Entries{{"A", "x", "#no comment", 7}}));
    EXPECT_TRUE(entries("").empty());
}

TEST(UnitFile, JoinsContinuedLinesAndLeavesCommentsWithinThemOut) {
    EXPECT_EQ(entries("[A]\nx=1\\\n2 \\\n# comment \\\n ; another\n  3\ny=4\n"),
              (Entries{{"A", "x", "1 2    3", 2}, {"A", "y", "4", 7}}));
}

TEST(UnitFile, EndsAContinuationAtABlankLineOrAtTheEnd) {
    EXPECT_EQ(entries("[A]\nx=1\\\n\ny=2"), (Entries{{"A", "x", "1", 2}, {"A", "y", "2", 4}}));
    EXPECT_EQ(entries("[A]\nx=1\\"), (Entries{{"A", "x", "1", 2}}));
    EXPECT_EQ(entries("[A]\nx=1\\\n"), (Entries{{"A", "x", "1", 2}}));
}

TEST(UnitFile, TakesOnlyAnOddBackslashAsContinuation) {
    EXPECT_EQ(entries("[A]\nx=a\\\\\ny=b\\x2d\n"),
              (Entries{{"A", "x", "a\\\\", 2}, {"A", "y", "b\\x2d", 3}}));
    EXPECT_EQ(entries("[A]\nx=a\\\\\\\nb\n"), (Entries{{"A", "x", "a\\\\ b", 2}}));
}

TEST(UnitFile, ToleratesWindowsLinesAndAByteOrderMark) {
    EXPECT_EQ(entries("\xef\xbb\xbf[A]\r\nx=1\\\r\n2\r\n\r\ny=\r\n"),
              (Entries{{"A", "x", "1 2", 2}, {"A", "y", "", 5}}));
}

TEST(UnitFile, KeepsUtf8AndEqualsSignsInValues) {
    EXPECT_EQ(entries("[Ä]\nö=ü=€=😀\n"), (Entries{{"Ä", "ö", "ü=€=😀", 2}}));
}

TEST(UnitFile, ReadsLinesOfAnyLength) {
    const std::string value(300'000, 'v');
    EXPECT_EQ(entries("[A]\nx=" + value + "\n"), (Entries{{"A", "x", value, 2}}));
}

TEST(UnitFile, SkipsForeignSectionsWhateverIsInThem) {
    EXPECT_EQ(entries("[X-Other]\nno assignment\n\xff\n=\n[A]\nx=1\n"), (Entries{{"A", "x", "1", 6}}));
}

TEST(UnitFile, ReadsOnlyTheSectionsThatAreWanted) {
    const auto wanted = [](std::string_view section) { return section == "X-Filterd"; };
    EXPECT_EQ(entries("[Service]\nodd line\n[X-Filterd]\nx=1\n[Install]\nodd line\n", wanted),
              (Entries{{"X-Filterd", "x", "1", 4}}));
}

TEST(UnitFile, NamesFileLineAndWayOutOfEveryError) {
    EXPECT_EQ(errorOf("[A]\n\nword\n"),
              "/etc/x.queue:3: 'word' is no assignment, write Key=Value or begin a comment with #");
    EXPECT_EQ(errorOf("x=1\n"),
              "/etc/x.queue:1: 'x=1' stands before the first section, put it below a [Section] line");
    EXPECT_EQ(errorOf("[A\n"), "/etc/x.queue:1: '[A' is not a section header, write [Section]");
    EXPECT_EQ(errorOf("[A]\nx=1\nx=\xff\n"),
              "/etc/x.queue:3: bytes that are not UTF-8 text, save it as UTF-8");
}

TEST(UnitFile, NamesTheFirstLineOfAContinuedOne) {
    EXPECT_TRUE(errorOf("[A]\n\nword\\\nword\\\nword\n").starts_with("/etc/x.queue:3: "));
}

TEST(UnitFile, RefusesMalformedLines) {
    for (const std::string_view bad : {"[]\n", "[A]]\n", "[A] x\n", "[A[]\n", "[", "]", "[A]\n=1\n",
                                       "[A]\n = \n", "[A]\n\\\n=\n", "[X-A\n", "[A]\n[X-B]\n[C\n"})
        EXPECT_TRUE(errorOf(bad).starts_with("/etc/x.queue:")) << bad;
}

TEST(UnitFile, RefusesWhatIsNotUtf8Text) {
    const std::vector<std::string> bad{
        std::string("\0", 1), "\x80",     "\xc3",         "\xc0\xaf",    "\xe0\x80\xaf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80",   "\xf8\x88", "\xf0\x9f\x98", "\xe2\x28\xa1"};
    for (const auto& bytes : bad)
        EXPECT_TRUE(errorOf("[A]\nx=" + bytes + "\n").starts_with("/etc/x.queue:2: bytes")) << bytes;
}

TEST(UnitFile, CutsLongLinesInMessagesBetweenCharacters) {
    std::string line = "x";
    while (line.size() < 500)
        line += "ä";
    const auto message = errorOf("[A]\n" + line + "\n");
    EXPECT_LT(message.size(), 200U);
    EXPECT_NE(message.find("ä…'"), std::string::npos) << message;
    EXPECT_EQ(errorOf("[A]\n\x1b[2J\n").find('\x1b'), std::string::npos);
}

} // namespace
} // namespace filterd
