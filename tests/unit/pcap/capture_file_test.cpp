// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Capture files that tcpdump and wireshark have written, and what has been done to them since.

#include "edge/pcap/capture_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>

namespace filterd {
namespace {

constexpr std::uint32_t kEthernet = 1;
constexpr std::uint32_t kWireless = 105;

void put(std::string& to, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i, value >>= 8)
        to += static_cast<char>(value & 0xff);
}

std::string pcapHeader(std::uint32_t linkType) {
    std::string text;
    put(text, 0xa1b2c3d4, 4);
    put(text, 2, 2);
    put(text, 4, 2);
    put(text, 0, 8);
    put(text, 65535, 4);
    put(text, linkType, 4);
    return text;
}

std::string pcapPacket(const std::string& bytes, std::size_t wireLength) {
    std::string text;
    put(text, 0, 8);
    put(text, bytes.size(), 4);
    put(text, wireLength, 4);
    return text + bytes;
}

// One packet of 8 bytes on raw IP (101 in files).
std::string pcapng() {
    std::string text;
    put(text, 0x0a0d0d0a, 4); // section header
    put(text, 28, 4);
    put(text, 0x1a2b3c4d, 4);
    put(text, 1, 4);
    put(text, ~std::uint64_t{0}, 8);
    put(text, 28, 4);
    put(text, 1, 4); // interface
    put(text, 20, 4);
    put(text, 101, 4);
    put(text, 0, 4);
    put(text, 20, 4);
    put(text, 6, 4); // packet
    put(text, 40, 4);
    put(text, 0, 12);
    put(text, 8, 4);
    put(text, 8, 4);
    text += "ABCDEFGH";
    put(text, 40, 4);
    return text;
}

class Captures : public ::testing::Test {
  protected:
    ~Captures() override { ::unlink(path_.c_str()); }
    Result<CaptureFile> open(const std::string& content) {
        std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
        return CaptureFile::open(path_);
    }
    const std::string& path() const { return path_; }

  private:
    static std::string fresh() {
        std::string name = "/tmp/filterd-capture-XXXXXX";
        ::close(::mkstemp(name.data()));
        return name;
    }
    std::string path_ = fresh();
};

TEST_F(Captures, GivesEveryPacketOfAPcapFile) {
    auto file = open(pcapHeader(kEthernet) + pcapPacket("one", 3) + pcapPacket("three", 90));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->linkLayer(), packet::LinkLayer::Ethernet);
    const auto first = file->next();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->bytes.size(), 3U);
    const auto second = file->next();
    ASSERT_TRUE(second && *second);
    EXPECT_EQ((*second)->bytes.size(), 5U);
    EXPECT_EQ((*second)->wireLength, 90U);
    const auto end = file->next();
    ASSERT_TRUE(end);
    EXPECT_FALSE(*end);
}

TEST_F(Captures, ReadsPcapng) {
    auto file = open(pcapng());
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->linkLayer(), packet::LinkLayer::RawIp);
    const auto first = file->next();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->bytes.front(), std::byte{'A'});
    EXPECT_FALSE(*file->next());
}

TEST_F(Captures, ACaptureMayHoldNothing) {
    auto file = open(pcapHeader(101));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_FALSE(*file->next());
}

TEST_F(Captures, RefusesAnotherLinkLayerByItsName) {
    const auto file = open(pcapHeader(kWireless));
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message.find("IEEE802_11"), std::string::npos) << file.error().message;
    EXPECT_NE(file.error().message.find("Ethernet"), std::string::npos);
}

TEST_F(Captures, RefusesWhatIsNoCapture) {
    for (const std::string content : {"", "x", "this is a text and no capture of anything"}) {
        const auto file = open(content);
        ASSERT_FALSE(file) << content;
        EXPECT_NE(file.error().message.find(path()), std::string::npos) << file.error().message;
    }
    EXPECT_FALSE(CaptureFile::open("/nowhere/at.pcap"));
}

TEST_F(Captures, TellsWhereAFileIsCutOffAfterWhatItHolds) {
    const auto whole = pcapHeader(kEthernet) + pcapPacket("one", 3) + pcapPacket("two", 3);
    for (const std::size_t missing : {1U, 3U, 4U, 18U}) {
        auto file = open(whole.substr(0, whole.size() - missing));
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->next());
        const auto cut = file->next();
        ASSERT_FALSE(cut) << missing;
        EXPECT_NE(cut.error().message.find(path()), std::string::npos) << cut.error().message;
    }
}

} // namespace
} // namespace filterd
