// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The blocks of a pcapng file, byte by byte: tshark reads whole files in the system tests.

#include "core/packet/pcapng.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace filterd::packet {
namespace {

std::uint32_t wordAt(const std::string& bytes, std::size_t offset) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + offset, sizeof word);
    return word;
}

// Each block's length stands before and behind it, and is a multiple of 4; returns their types.
std::vector<std::uint32_t> typesOf(const std::string& bytes) {
    std::vector<std::uint32_t> types;
    for (std::size_t at = 0; at < bytes.size();) {
        types.push_back(wordAt(bytes, at));
        const auto length = wordAt(bytes, at + 4);
        EXPECT_EQ(length % 4, 0U);
        EXPECT_LE(at + length, bytes.size());
        EXPECT_EQ(wordAt(bytes, at + length - 4), length);
        at += length;
    }
    return types;
}

TEST(Pcapng, BeginsWithASectionAndItsOnlyInterface) {
    const auto head = pcapngHead("filterctl", "web.service");
    EXPECT_EQ(typesOf(head), (std::vector<std::uint32_t>{0x0a0d0d0a, 1}));
    EXPECT_EQ(wordAt(head, 8), 0x1a2b3c4dU);
    EXPECT_NE(head.find("web.service"), std::string::npos);
}

TEST(Pcapng, HasAPacketWithItsDirectionAndComment) {
    const std::vector<std::uint8_t> bytes{0x45, 1, 2, 3, 4};
    const auto block = pcapngBlock(
        {.time = 0x1122334455667788, .way = Way::Out, .length = 60, .bytes = bytes, .comment = "dropped"});
    EXPECT_EQ(typesOf(block), std::vector<std::uint32_t>{6});
    EXPECT_EQ(wordAt(block, 8), 0U);
    EXPECT_EQ(wordAt(block, 12), 0x11223344U);
    EXPECT_EQ(wordAt(block, 16), 0x55667788U);
    EXPECT_EQ(wordAt(block, 20), 5U);
    EXPECT_EQ(wordAt(block, 24), 60U);
    EXPECT_EQ(std::memcmp(block.data() + 28, bytes.data(), bytes.size()), 0);
    constexpr std::size_t kOptions = 28 + 8;
    EXPECT_EQ(wordAt(block, kOptions), 7U << 16 | 1U);
    EXPECT_EQ(block.substr(kOptions + 4, 8), std::string("dropped\0", 8));
    EXPECT_EQ(wordAt(block, kOptions + 12), 4U << 16 | 2U);
    EXPECT_EQ(wordAt(block, kOptions + 16), 2U);
    EXPECT_EQ(wordAt(block, kOptions + 20), 0U);
}

TEST(Pcapng, IsRightForEveryLength) {
    for (std::size_t size = 0; size < 9; ++size) {
        const std::vector<std::uint8_t> bytes(size, 7);
        typesOf(pcapngBlock({.length = 3, .bytes = bytes, .comment = std::string(size, 'x')}));
    }
    typesOf(pcapngBlock({.bytes = {}, .comment = std::string(70'000, 'x')}));
}

} // namespace
} // namespace filterd::packet
