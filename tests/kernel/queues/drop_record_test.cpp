// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Reports of drops as the kernel's programs write them: what is read, and what cannot be one.

#include "bpf/drops.h"
#include "edge/bpf/drops/drop_record.hpp"

#include <gtest/gtest.h>

#include <span>

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

// As filterd wrote them when it told of eight ancestors.
TEST(DropRecords, OfAnEarlierFormAreRead) {
    struct {
        __u64 bootTime = 1;
        __u64 cgroup = 7;
        __u64 ancestors[8] = {5, 7};
        __u32 program = 3;
        __u32 flags = DROP_EGRESS;
        __u32 length = 100;
        __u32 interface = 1;
        __u16 protocol = 0x800;
        __u16 captured = 2;
        __u8 packet[128] = {0x45, 0x01};
        __u32 unused = 0;
    } record;
    const auto report = bpf::decodeDropRecord(std::as_bytes(std::span(&record, 1)));
    ASSERT_TRUE(report);
    EXPECT_EQ(report->bootTime, 1U);
    EXPECT_EQ(report->cgroup, CgroupId{7});
    EXPECT_EQ(report->ancestors, (std::vector<CgroupId>{{5}, {7}}));
    EXPECT_EQ(report->programId, 3U);
    EXPECT_EQ(report->direction, Direction::Egress);
    EXPECT_EQ(report->length, 100U);
    EXPECT_EQ(report->interface, 1U);
    EXPECT_EQ(report->protocol, 0x800U);
    EXPECT_EQ(report->packet, (std::vector<std::uint8_t>{0x45, 0x01}));
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
