// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Connections as the filters of the catalogue follow them: requests in one segment and in many, copies, gaps.
// The segments come as those of a capture do, so that what a socket knows of its connection does not help.

#include "loaded_filter.hpp"
#include "tests/kernel/packets/packet_generator.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace filterd::test {

namespace {

constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kUrgent = 0x20;
const std::string kGood = "GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kEvil = "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(const std::string& length) {
    return "POST /api/x HTTP/1.1\r\nContent-Length: " + length + "\r\n\r\n";
}

void put(std::vector<std::uint8_t>& bytes, std::uint32_t value, int size) {
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

// One connection to port 80, by its numbers from `first` on.
class Stream {
  public:
    explicit Stream(const Loaded& filter, std::uint32_t first = 1000)
        : filter_(filter), port_(next_++), first_(first) {}

    // Whether a segment passes whose data begin at `at`.
    [[nodiscard]] bool send(std::uint32_t at, const std::string& data, std::uint8_t flags = kAck,
                            const std::vector<std::uint8_t>& options = {}) const {
        Packet packet{0x0800, {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}};
        auto& bytes = packet.bytes;
        put(bytes, port_, 2);
        put(bytes, 80, 2);
        put(bytes, first_ + at, 4);
        put(bytes, 0, 4);
        put(bytes, static_cast<std::uint32_t>(5 + options.size() / 4) << 4, 1);
        put(bytes, flags, 1);
        bytes.resize(bytes.size() + 6);
        bytes.insert(bytes.end(), options.begin(), options.end());
        bytes.insert(bytes.end(), data.begin(), data.end());
        return filter_.run(packet, {.ingress = true}).passes;
    }

  private:
    static inline std::uint16_t next_ = 1000;
    const Loaded& filter_;
    std::uint16_t port_;
    std::uint32_t first_;
};

std::uint32_t sizeOf(const std::string& text) { return static_cast<std::uint32_t>(text.size()); }

Loaded httpPath() { return Loaded("http-path", {{"paths", Value{std::string("/api/")}}}); }

} // namespace

TEST(Streams, EachRequestOfASegmentIsJudged) {
    const auto http = httpPath();
    for (const auto& before : {kGood, kGood + kGood, post("4") + "body", std::string("\r\n\r\n"),
                               std::string("POST /api/ HTTP/1.1\r\ntransfer-ENCODING: \t chunked \r\n\r\n"
                                           "00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")}) {
        EXPECT_TRUE(Stream(http).send(0, before + kGood)) << before;
        EXPECT_FALSE(Stream(http).send(0, before + kEvil)) << before;
        EXPECT_FALSE(Stream(http).send(0, before + kEvil + kGood)) << before;
        const Stream stream(http);
        EXPECT_TRUE(stream.send(0, before)) << before;
        EXPECT_FALSE(stream.send(sizeOf(before), kEvil)) << before;
    }
    EXPECT_GT(http.count("denied_requests"), 0U);
}

TEST(Streams, WhatServersReadInTwoWaysIsUnparsable) {
    const auto http = httpPath();
    const std::string chunked = "POST /api/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";
    for (const auto& text : {std::string("get /api/ HTTP/1.1\r\n\r\n"),
                             std::string("GET /api/\r\n"),
                             std::string("GET  /api/ HTTP/1.1\r\n"),
                             std::string("GET http://a/api/ HTTP/1.1\r\n"),
                             std::string("GET /api/ HTTP/1.2\r\n"),
                             std::string("GET /api/ HTTP/2.0\r\n"),
                             std::string("GET /api/ HTTP/1.1 \r\n"),
                             std::string("GET /api/ HTTP/1.1\n"),
                             std::string("GET /api/?a\x01 HTTP/1.1\r\n"),
                             std::string("GET /api/;/x HTTP/1.1\r\n"),
                             std::string("\n") + kGood,
                             std::string("GET /api/ HTTP/1.1\r\n a: b\r\n"),
                             std::string("GET /api/ HTTP/1.1\r\na : b\r\n"),
                             std::string("GET /api/ HTTP/1.1\r\n: b\r\n"),
                             std::string("GET /api/ HTTP/1.1\r\na\r\n"),
                             std::string("GET /api/ HTTP/1.1\r\na: b\n\r\n"),
                             std::string("GET /api/ HTTP/1.1\r\na: b\rc\r\n"),
                             post("4, 4"),
                             post("-1"),
                             post("0x4"),
                             post(""),
                             post("4 4"),
                             post("9999999999999999"),
                             post("4\r\nContent-Length: 4"),
                             chunked + "Content-Length: 4\r\n",
                             post("4\r\nTransfer-Encoding: chunked"),
                             chunked + "Transfer-Encoding: chunked\r\n",
                             chunked + "\r\n4;a=b\r\n",
                             chunked + "\r\n\r\n",
                             chunked + "\r\n-1\r\n",
                             chunked + "\r\n1\r\nab\r\n",
                             chunked + "\r\n0\r\nContent-Length: 4\r\n",
                             std::string("POST /api/ HTTP/1.1\r\nTransfer-Encoding: gzip\r\n"),
                             std::string("POST /api/ HTTP/1.1\r\nTransfer-Encoding: chunkedx\r\n"),
                             std::string("POST /api/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"),
                             std::string("GET /api/ HTTP/1.1\r\nContent-Length: 4\r\n\r\n"),
                             std::string("HEAD /api/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")}) {
        const auto before = http.count("unparsable_packets");
        EXPECT_FALSE(Stream(http).send(0, text)) << text.substr(0, 100);
        EXPECT_EQ(http.count("unparsable_packets"), before + 1) << text.substr(0, 100);
    }
}

TEST(Streams, HeadsHaveALimit) {
    const auto http = httpPath();
    const Stream stream(http);
    const std::string line = "A: " + std::string(995, 'b') + "\r\n";
    const std::string first = "GET /api/ HTTP/1.1\r\n";
    EXPECT_TRUE(stream.send(0, first));
    unsigned lines = 0;
    while (lines < 100 && stream.send(sizeOf(first) + lines * 1000, line))
        ++lines;
    EXPECT_EQ(lines, 65U);
}

TEST(Streams, HeadsAndBodiesPassInWhateverPieces) {
    const auto http = httpPath();
    PacketGenerator random(7);
    for (int round = 0; round < 300; ++round) {
        const std::uint32_t first = random.oneIn(3) ? 0xffffff00U : random.below(1U << 31);
        const Stream stream(http, first);
        std::uint32_t at = 0;
        for (int i = 0; i < 4; ++i) {
            const auto size = random.below(300);
            auto text = random.oneIn(3) ? kGood : post(std::to_string(size)) + std::string(size, 'x');
            if (random.oneIn(3))
                text =
                    "PUT /api/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n3\r\nGET\r\n0\r\n\r\n";
            for (std::size_t done = 0, piece = 0; done < text.size(); done += piece) {
                piece = std::min<std::size_t>(text.size() - done, (done == 0 ? 12 : 1) + random.below(60));
                const auto data = text.substr(done, piece);
                ASSERT_TRUE(stream.send(at, data)) << data;
                if (random.oneIn(4)) {
                    ASSERT_TRUE(stream.send(at, data)) << "again " << data;
                }
                at += static_cast<std::uint32_t>(piece);
            }
        }
        ASSERT_FALSE(stream.send(at, kEvil));
    }
}

TEST(Streams, GapsPassInBodiesOnly) {
    const auto http = httpPath();
    const Stream stream(http);
    const auto head = post("1000");
    EXPECT_TRUE(stream.send(0, head));
    const auto body = sizeOf(head);
    EXPECT_TRUE(stream.send(body + 600, kEvil)) << "of the body, before its turn";
    EXPECT_TRUE(stream.send(body, std::string(300, 'x')));
    EXPECT_TRUE(stream.send(body + 100, std::string(900, 'y'))) << "over what was sent";
    EXPECT_FALSE(stream.send(body + 1001, kGood)) << "behind a gap";
    EXPECT_TRUE(stream.send(body + 900, std::string(100, 'z') + kGood));
    EXPECT_FALSE(stream.send(body + 1000 + sizeOf(kGood), kEvil));
}

TEST(Streams, CopiesPassIfTheyLeadToTheSamePlace) {
    const auto http = httpPath();
    const Stream stream(http);
    const auto head = post("10");
    EXPECT_TRUE(stream.send(0, head));
    EXPECT_TRUE(stream.send(0, head));
    EXPECT_FALSE(stream.send(0, post("99"))) << "another length";
    EXPECT_FALSE(stream.send(0, kEvil.substr(0, head.size()))) << "another path";
    EXPECT_FALSE(stream.send(0, head.substr(0, 30))) << "cut where nothing is known";
    EXPECT_FALSE(stream.send(5, head.substr(5))) << "from the midst";
    EXPECT_TRUE(stream.send(0, head + "0123")) << "with more of the body";
    const auto next = sizeOf(head) + 10;
    EXPECT_TRUE(stream.send(next, kGood));
    EXPECT_TRUE(stream.send(0, head));
    EXPECT_TRUE(stream.send(next, kGood));
    EXPECT_FALSE(stream.send(next, kEvil.substr(0, kGood.size())));
    EXPECT_FALSE(stream.send(0, head + "0123456789" + kGood))
        << "over a place where another could have come between";
}

// A part of a copy may meet the rest of the first: neither was judged so.
TEST(Streams, CopiesThatReadOtherwiseOnTheWayDoNotPass) {
    const auto http = httpPath();
    const Stream stream(http);
    const std::string one = "GET /api/x HTTP/1.1\r\nA: bbbbbb\r\n\r\n";
    const std::string two = "GET /api/y HTTP/1.1\r\nHost: c\r\n\r\n";
    EXPECT_TRUE(stream.send(0, one));
    EXPECT_TRUE(stream.send(sizeOf(one), two));
    std::string other = "GET /api/x HTTP/1.1\r\nA: ";
    other += std::string(one.size() - other.size(), 'b') + "GET /secret\r\n\r\n";
    other += std::string(one.size() + two.size() - other.size(), ' ');
    EXPECT_FALSE(stream.send(0, other));
}

TEST(Streams, WhatIsLostForLongIsJudgedAfresh) {
    const auto http = httpPath();
    const Stream stream(http);
    const auto head = post("10");
    EXPECT_TRUE(stream.send(0, head));
    EXPECT_FALSE(stream.send(0, head.substr(0, 30)));
    std::this_thread::sleep_for(std::chrono::milliseconds(5200));
    EXPECT_TRUE(stream.send(0, head.substr(0, 30)));
    EXPECT_TRUE(stream.send(30, head.substr(30) + "0123456789" + kGood));
}

TEST(Streams, BytesThatLeaveTheStreamAreUnparsable) {
    const auto http = httpPath();
    EXPECT_FALSE(Stream(http).send(0, kGood, kAck | kUrgent));
    EXPECT_FALSE(Stream(http).send(0, "", kAck | kUrgent));
    EXPECT_TRUE(Stream(http).send(0, kGood, kAck, {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_FALSE(Stream(http).send(0, kGood, kAck, {1, 1, 30, 4, 0x20, 0, 1, 1})) << "multipath";
    EXPECT_FALSE(Stream(http).send(0, kGood, kAck, {8, 0, 0, 0})) << "an option without length";
    EXPECT_EQ(http.count("unparsable_packets"), 4U);
}

TEST(Streams, AnUpgradeEndsTheReadingWhereItMay) {
    const auto http = httpPath();
    const std::string upgrade = "GET /api/ HTTP/1.1\r\nupgrade: websocket\r\n\r\n";
    const Stream strict(http);
    EXPECT_TRUE(strict.send(0, upgrade));
    EXPECT_FALSE(strict.send(sizeOf(upgrade), "\x81\x05hello"));
    http.set("upgraded", "allow");
    const Stream open(http);
    EXPECT_TRUE(open.send(0, upgrade));
    EXPECT_TRUE(open.send(sizeOf(upgrade), "\x81\x05hello"));
    EXPECT_TRUE(open.send(sizeOf(upgrade) + 7, kEvil));
    EXPECT_FALSE(Stream(http).send(0, kGood + kEvil));
}

} // namespace filterd::test
