// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/type_check.hpp"

#include <gtest/gtest.h>

namespace filterd::worker {
namespace {

ValueType integer() {
    ValueType type;
    type.kind = ValueKind::Integer;
    type.size = 4;
    return type;
}

ValueType arrayOf(std::uint32_t count, std::uint32_t size, std::uint32_t first) {
    ValueType type;
    type.kind = ValueKind::Array;
    type.size = size;
    type.count = count;
    type.elements.push_back({"", first, integer()});
    return type;
}

TEST(TypeCheck, NoItemOfAnArrayLiesBehindItsEnd) {
    EXPECT_TRUE(isSound(arrayOf(2, 8, 0)));
    EXPECT_TRUE(isSound(arrayOf(1, 8, 4)));
    EXPECT_FALSE(isSound(arrayOf(2, 8, 4))) << "the second one does";
    EXPECT_FALSE(isSound(arrayOf(3, 8, 0)));
    EXPECT_FALSE(isSound(arrayOf(1, 8, 5)));
}

TEST(TypeCheck, NoMemberOfAStructureLiesBehindItsEnd) {
    ValueType type;
    type.kind = ValueKind::Structure;
    type.size = 8;
    type.elements = {{"a", 0, integer()}, {"b", 4, integer()}};
    EXPECT_TRUE(isSound(type));
    type.elements.push_back({"c", 8, integer()});
    EXPECT_FALSE(isSound(type));
}

} // namespace
} // namespace filterd::worker
