// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/value.hpp"
#include "value_types.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

using test::simple;
using test::verdict;

TEST(MapEntries, AreReadFromTextAndFromTables) {
    const auto key = simple(ValueKind::Prefix, 8);
    const auto entries = encodeEntries(key, verdict(), Value{std::string("10.0.0.0/8, 10.1.0.0/16=deny")});
    ASSERT_TRUE(entries) << entries.error().message;
    ASSERT_EQ(entries->size(), 2U);
    EXPECT_EQ(format(verdict(), (*entries)[0].second), "allow");
    EXPECT_EQ(format(key, (*entries)[1].first), "10.1.0.0/16");
    EXPECT_EQ(format(verdict(), (*entries)[1].second), "deny");
    EXPECT_EQ(*encodeEntries(key, verdict(),
                             Value{ValueTable{{"10.0.0.0/8", {std::string("allow")}},
                                              {"10.1.0.0/16", {std::uint64_t{0}}}}}),
              *entries);
    EXPECT_TRUE(encodeEntries(key, verdict(), Value{std::string("")})->empty());
    EXPECT_EQ(encodeEntries(key, verdict(), Value{std::string("10.0.0.0/8=x")}).error().message,
              "the value of '10.0.0.0/8': takes one of deny, allow, not 'x'");
    EXPECT_FALSE(encodeEntries(key, verdict(), Value{std::string("10.0.0.0/40")}));
    EXPECT_EQ(encodeEntries(simple(ValueKind::TextPrefix, 12), verdict(), Value{std::string("\"/a=b\"=deny")})
                  ->size(),
              1U);
}

TEST(MapEntries, CanonicalTextDoesNotDependOnOrder) {
    EXPECT_EQ(canonicalText({ValueTable{{"b", {true}}, {"a", {std::int64_t{-1}}}}}),
              canonicalText({ValueTable{{"a", {std::int64_t{-1}}}, {"b", {true}}}}));
    EXPECT_NE(canonicalText({ValueList{{std::string("1")}, {std::string("2")}}}),
              canonicalText({ValueList{{std::string("2")}, {std::string("1")}}}));
}

} // namespace
} // namespace filterd
