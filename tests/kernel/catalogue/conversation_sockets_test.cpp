// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What the filter `established` decides of real sockets: the kernel's own state of TCP and of connected UDP
// is the conversation's.

#include "carriers.hpp"
#include "unit_sockets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace filterd::test {

namespace {

struct Connection {
    UniqueFd near; // the unit's
    UniqueFd far;

    [[nodiscard]] bool lives() const {
        return sendOn(near.get()) && receives(far.get()) && sendOn(far.get()) && receives(near.get());
    }
};

UniqueFd outsideSocket(int type) { return UniqueFd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)); }

class SocketConversations : public ::testing::Test {
  protected:
    void SetUp() override {
        listener_ = unit_.makeSocket(SOCK_STREAM);
        port_ = bindTo(listener_.get());
        ASSERT_EQ(::listen(listener_.get(), 10), 0);
        outside_ = outsideSocket(SOCK_STREAM);
        outsidePort_ = bindTo(outside_.get());
        ASSERT_EQ(::listen(outside_.get(), 10), 0);
    }

    [[nodiscard]] Connection begunInside() const {
        Connection made{unit_.makeSocket(SOCK_STREAM), {}};
        if (connectTo(made.near.get(), outsidePort_))
            made.far = acceptOn(outside_.get());
        return made;
    }
    [[nodiscard]] Connection begunOutside() const {
        Connection made{{}, outsideSocket(SOCK_STREAM)};
        if (connectTo(made.far.get(), port_))
            made.near = acceptOn(listener_.get());
        return made;
    }

    FilteredUnit& unit() { return unit_; }

  private:
    FilteredUnit unit_{"talking"};
    UniqueFd listener_;
    UniqueFd outside_;
    int port_ = 0;
    int outsidePort_ = 0;
};

} // namespace

TEST_F(SocketConversations, LivingConnectionsGoOnAndNewOnesAreTheUnitsOwn) {
    const auto out = begunInside();
    const auto in = begunOutside();
    ASSERT_TRUE(out.lives());
    ASSERT_TRUE(in.lives());
    const Loaded established("established");
    unit().use(established);
    EXPECT_TRUE(out.lives());
    EXPECT_TRUE(in.lives());
    EXPECT_EQ(established.count("refused_packets"), 0U);
    EXPECT_TRUE(begunInside().lives());
    EXPECT_FALSE(begunOutside().near);
    EXPECT_GT(established.count("refused_packets"), 0U);
    EXPECT_TRUE(in.lives());
}

TEST_F(SocketConversations, SilenceEndsNoConnectionAndNoConnectedSocket) {
    const Loaded established("established");
    established.set("other_timeout", "0");
    unit().use(established);
    const auto connection = begunInside();
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(sendOn(connection.far.get()) && receives(connection.near.get()));

    const auto far = outsideSocket(SOCK_DGRAM);
    const int farPort = bindTo(far.get());
    const auto connected = unit().makeSocket(SOCK_DGRAM);
    const int port = bindTo(connected.get());
    ASSERT_TRUE(connectTo(connected.get(), farPort));
    EXPECT_TRUE(sendTo(far.get(), port) && receives(connected.get()));

    const auto unconnected = unit().makeSocket(SOCK_DGRAM);
    const int other = bindTo(unconnected.get());
    EXPECT_TRUE(sendTo(unconnected.get(), farPort) && receives(far.get()));
    EXPECT_TRUE(sendTo(far.get(), other));
    EXPECT_FALSE(receives(unconnected.get()));
}

TEST_F(SocketConversations, AnotherCgroupsConversationLetsNothingIn) {
    const Loaded established("established");
    FilteredUnit neighbour("neighbour");
    unit().use(established);
    neighbour.use(established);
    const auto far = outsideSocket(SOCK_DGRAM);
    const int farPort = bindTo(far.get());
    int port = 0;
    {
        const auto asks = unit().makeSocket(SOCK_DGRAM);
        port = bindTo(asks.get());
        EXPECT_TRUE(sendTo(asks.get(), farPort) && receives(far.get()));
        EXPECT_TRUE(sendTo(far.get(), port) && receives(asks.get()));
    }
    const auto hears = neighbour.makeSocket(SOCK_DGRAM);
    ASSERT_EQ(bindTo(hears.get(), port), port);
    EXPECT_TRUE(sendTo(far.get(), port));
    EXPECT_FALSE(receives(hears.get()));
}

// The neighbour of one that talks to as many as it can has room.
TEST_F(SocketConversations, AFloodLeavesRoomForOthers) {
    const Loaded established("established");
    FilteredUnit flooder("flooder");
    unit().use(established);
    flooder.use(established);
    const auto flooding = flooder.makeSocket(SOCK_DGRAM);
    for (unsigned i = 0; i < 70'000; ++i) {
        const auto to = "127." + std::to_string(1 + (i >> 16)) + "." + std::to_string(i >> 8 & 255) + "." +
                        std::to_string(i & 255);
        (void)sendTo(flooding.get(), 9, to.c_str());
    }
    const auto crowded = established.count("crowded_packets");
    EXPECT_GT(crowded, 10'000U);
    const auto far = outsideSocket(SOCK_DGRAM);
    const int farPort = bindTo(far.get());
    for (int i = 0; i < 500; ++i) {
        const auto asks = unit().makeSocket(SOCK_DGRAM);
        const int port = bindTo(asks.get());
        ASSERT_TRUE(sendTo(asks.get(), farPort) && receives(far.get()));
        ASSERT_TRUE(sendTo(far.get(), port) && receives(asks.get())) << i;
    }
    EXPECT_EQ(established.count("crowded_packets"), crowded);
}

// mtr and traceroute try TCP and connected UDP, and hear of it by raw sockets.
TEST_F(SocketConversations, ErrorsAboutASocketsConversationComeIn) {
    const Loaded established("established");
    const auto error = [](std::uint8_t protocol, int port, int farPort) {
        Packet quoted{kIp4, ip4(protocol, 0, 0, false,
                                udp(static_cast<unsigned>(port), static_cast<unsigned>(farPort)))};
        Packet packet{kIp4, ip4(kIcmp, 0, 0, true, Bytes{3, 3, 0, 0, 0, 0, 0, 0} + quoted.bytes)};
        for (const std::size_t header : {std::size_t{0}, std::size_t{28}})
            for (const std::size_t address : {std::size_t{12}, std::size_t{16}})
                std::copy_n(Bytes{127, 0, 0, 1}.begin(), 4,
                            packet.bytes.begin() + static_cast<std::ptrdiff_t>(header + address));
        return packet;
    };
    const auto comesIn = [&](const Packet& packet) {
        bool passes = false;
        unit().inside([&] { passes = established.run(packet, {.ingress = true}).passes; });
        return passes;
    };
    const auto far = outsideSocket(SOCK_DGRAM);
    const int farPort = bindTo(far.get());
    const auto asks = unit().makeSocket(SOCK_DGRAM);
    const int port = bindTo(asks.get());
    EXPECT_FALSE(comesIn(error(kUdp, port, farPort)));
    ASSERT_TRUE(connectTo(asks.get(), farPort));
    EXPECT_TRUE(comesIn(error(kUdp, port, farPort)));
    EXPECT_FALSE(comesIn(error(kTcp, port, farPort)));
    EXPECT_FALSE(established.run(error(kUdp, port, farPort), {.ingress = true}).passes); // of another cgroup

    const auto listens = outsideSocket(SOCK_STREAM);
    const int listens_at = bindTo(listens.get());
    ASSERT_EQ(::listen(listens.get(), 1), 0);
    const auto calls = unit().makeSocket(SOCK_STREAM);
    const int from = bindTo(calls.get());
    EXPECT_FALSE(comesIn(error(kTcp, from, listens_at)));
    ASSERT_TRUE(connectTo(calls.get(), listens_at));
    EXPECT_TRUE(comesIn(error(kTcp, from, listens_at)));
}

} // namespace filterd::test
