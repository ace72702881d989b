// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Reports of drops as the kernel's programs write them: what is read, and what cannot be one.

#include "bpf/drops.h"
#include "edge/bpf/drops/drop_record.hpp"

#include <gtest/gtest.h>

namespace filterd::test {
namespace {

std::optional<DropReport> decoded(const drop_record& record, std::size_t size = sizeof(drop_record)) {
    return bpf::decodeDropRecord({reinterpret_cast<const std::byte*>(&record), size});
}

TEST(DropRecords, AreReadWhole) {
    drop_record record{};
    record.cgroup = 7;
    record.ancestors[0] = 5;
    record.ancestors[1] = 7;
    record.flags = DROP_EGRESS | DROP_INTERIM | DROP_LOG_ONLY;
    record.captured = DROP_PACKET_SIZE;
    const auto report = decoded(record);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->cgroup, CgroupId{7});
    EXPECT_EQ(report->ancestors, (std::vector<CgroupId>{{5}, {7}}));
    EXPECT_EQ(report->direction, Direction::Egress);
    EXPECT_TRUE(report->interim && report->logOnly);
    EXPECT_EQ(report->packet.size(), DROP_PACKET_SIZE);
}

TEST(DropRecords, OfAnotherFormAreNone) {
    drop_record record{};
    EXPECT_TRUE(decoded(record));
    EXPECT_FALSE(decoded(record, sizeof record - 1));
    EXPECT_FALSE(decoded(record, 0));
    record.captured = DROP_PACKET_SIZE + 1;
    EXPECT_FALSE(decoded(record));
    record.captured = 0;
    record.flags = 8;
    EXPECT_FALSE(decoded(record));
}

} // namespace
} // namespace filterd::test
