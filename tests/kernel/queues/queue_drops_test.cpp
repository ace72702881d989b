// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What queues report of the packets that they drop, with real packets.

#include "drops_bed.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <barrier>
#include <cstring>
#include <ctime>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

namespace filterd::test {
namespace {

constexpr std::size_t kHeaders = 28; // of IPv4 and UDP

struct Loopback {
    int family;
    std::uint16_t ethertype;
    std::size_t headers; // of IP and UDP
    sockaddr_storage address{};
    socklen_t size;
};

Loopback loopback(int family, int port) {
    Loopback result{family, 0x0800, kHeaders, {}, sizeof(sockaddr_in)};
    if (family == AF_INET) {
        const sockaddr_in to{AF_INET, htons(static_cast<std::uint16_t>(port)), {htonl(INADDR_LOOPBACK)}, {}};
        std::memcpy(&result.address, &to, sizeof to);
        return result;
    }
    result.ethertype = 0x86dd;
    result.headers = 48;
    result.size = sizeof(sockaddr_in6);
    const sockaddr_in6 to{AF_INET6, htons(static_cast<std::uint16_t>(port)), 0, IN6ADDR_LOOPBACK_INIT, 0};
    std::memcpy(&result.address, &to, sizeof to);
    return result;
}

const sockaddr* generic(const Loopback& to) { return reinterpret_cast<const sockaddr*>(&to.address); }

bool sendText(int socket, const Loopback& to, std::string_view text) {
    return ::sendto(socket, text.data(), text.size(), 0, generic(to), to.size) ==
           static_cast<ssize_t>(text.size());
}

// ---- what a report says ---------------------------------------------------------------------------------

class ReportedPacket : public Drops, public testing::WithParamInterface<std::tuple<int, Direction>> {};

TEST_P(ReportedPacket, IsThatOfTheUnitAndNamesTheFilter) {
    const auto [family, direction] = GetParam();
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    use(unit, direction, {load("before", "count"), judge.instance, load("after", "not_9998")});
    const auto to = loopback(family, kDroppedPort);
    const auto inside = unit.makeSocket(family);
    const UniqueFd outside(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const bool leaves = direction == Direction::Egress;
    ASSERT_EQ(::bind((leaves ? outside : inside).get(), generic(to), to.size), 0);
    const auto before = bootTime();
    EXPECT_EQ(sendText((leaves ? inside : outside).get(), to, "why was it dropped"), !leaves);
    const auto report = wait(1).front();
    EXPECT_GE(report.bootTime, before);
    EXPECT_LE(report.bootTime, bootTime());
    EXPECT_EQ(report.cgroup, unit.cgroup().id);
    ASSERT_FALSE(report.ancestors.empty());
    EXPECT_EQ(report.ancestors.back(), unit.cgroup().id);
    EXPECT_EQ(report.direction, direction);
    EXPECT_EQ(report.programId, judge.program);
    EXPECT_FALSE(report.logOnly);
    EXPECT_FALSE(report.interim);
    EXPECT_EQ(report.length, to.headers + 18);
    EXPECT_EQ(report.protocol, to.ethertype);
    EXPECT_EQ(report.interface, ::if_nametoindex("lo"));
    ASSERT_EQ(report.packet.size(), report.length);
    EXPECT_EQ(report.packet[0] >> 4, family == AF_INET ? 4 : 6);
    const std::size_t ports = to.headers - 8;
    EXPECT_EQ(report.packet[ports + 2] << 8 | report.packet[ports + 3], kDroppedPort);
    EXPECT_EQ(
        std::string(report.packet.begin() + static_cast<std::ptrdiff_t>(to.headers), report.packet.end()),
        "why was it dropped");
}

INSTANTIATE_TEST_SUITE_P(Both, ReportedPacket,
                         testing::Combine(testing::Values(AF_INET, AF_INET6),
                                          testing::ValuesIn(kDirections)));

TEST_F(Drops, NothingIsSaidOfWhatPasses) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("judge", "not_9999")});
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_TRUE(drain().empty());
    EXPECT_EQ(undelivered(), 0U);
}

TEST_F(Drops, OfALongPacketTheBeginningIsReported) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("all", "drop")});
    const std::string text(1000, 'x');
    EXPECT_FALSE(sendText(unit.socket(), loopback(AF_INET, kOpenPort), text));
    EXPECT_FALSE(sendText(unit.socket(), loopback(AF_INET, kOpenPort), ""));
    const auto reports = wait(2);
    EXPECT_EQ(reports[0].length, kHeaders + text.size());
    EXPECT_EQ(reports[0].packet.size(), 128U);
    EXPECT_EQ(reports[1].length, kHeaders);
    EXPECT_EQ(reports[1].packet.size(), kHeaders);
}

// The descriptor is what wakes the daemon.
TEST_F(Drops, TheDescriptorIsReadableWhileThereAreReports) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("judge", "not_9999")});
    const int fd = kernel().dropReports().fd();
    ASSERT_GE(fd, 0);
    EXPECT_FALSE(isReadable(fd));
    EXPECT_FALSE(sendTo(unit.socket(), kDroppedPort));
    EXPECT_TRUE(eventually([&] { return isReadable(fd); }));
    EXPECT_EQ(wait(1).size(), 1U);
    EXPECT_FALSE(isReadable(fd));
}

// ---- every kind of queue --------------------------------------------------------------------------------

TEST_F(Drops, AGroupNamesTheFilterThatDropped) {
    const Unit unit("unit.service");
    std::vector<FilterInstance> filters;
    for (int i = 0; i < 150; ++i)
        filters.push_back(load("many-" + std::to_string(i), "count"));
    const auto judge = named("judge", "not_9999");
    filters.push_back(judge.instance);
    filters.push_back(load("late", "not_9998"));
    use(unit, Direction::Egress, filters);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    const auto report = wait(1).front();
    EXPECT_EQ(report.programId, judge.program);
    EXPECT_EQ(report.direction, Direction::Egress);
    EXPECT_EQ(dropsOf(counters(unit, Direction::Egress), "late"), 0U);
}

TEST_F(Drops, AFilterByTailCallIsNamed) {
    const Unit unit("unit.service");
    const auto other = named("other", "", "other_license");
    use(unit, Direction::Egress, {load("before", "not_9998"), other.instance});
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(wait(1).front().programId, other.program);
    EXPECT_FALSE(unit.sends(9998));
    EXPECT_NE(wait(1).front().programId, other.program);
}

TEST_F(Drops, AQueueThatCountsNothingReports) {
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    use(unit, Direction::Egress, {load("tail", "filter", "tail_call_egress"), judge.instance});
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_EQ(drain().size(), 1U);
}

TEST_F(Drops, WhatOnlyLogsReportsAndLetsPass) {
    const Unit unit("unit.service");
    const auto judge = named("judge", "not_9999");
    useLogOnly(unit, Direction::Egress, judge.instance);
    EXPECT_TRUE(unit.sends(kDroppedPort));
    const auto report = wait(1).front();
    EXPECT_TRUE(report.logOnly);
    EXPECT_EQ(report.programId, judge.program);
}

TEST_F(Drops, TheHoldQueueReportsNoFilter) {
    const Unit unit("unit.service");
    for (const auto direction : kDirections) {
        const Queue hold{direction, {}, true, Fallback::Allow};
        ASSERT_TRUE(kernel().buildQueue(hold));
        put(unit, hold);
    }
    EXPECT_FALSE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.receives(kOpenPort));
    const auto reports = wait(2);
    EXPECT_EQ(reports[0].direction, Direction::Egress);
    EXPECT_EQ(reports[1].direction, Direction::Ingress);
    for (const auto& report : reports) {
        EXPECT_EQ(report.programId, 0U);
        EXPECT_EQ(report.cgroup, unit.cgroup().id);
    }
}

TEST_F(Drops, OtherProgramsHaveSkbCbForThemselves) {
    const Unit unit("unit.service");
    const auto looks = load("looks", "private_cb");
    useLogOnly(unit, Direction::Egress, load("judge", "not_9999"));
    use(unit, Direction::Ingress, {looks});
    const UniqueFd program(::bpf_obj_get((std::string(kPins) + "/filters/looks").c_str()));
    const UniqueFd directory = unit.openDirectory();
    const UniqueFd link(::bpf_link_create(program.get(), directory.get(), BPF_CGROUP_INET_EGRESS, nullptr));
    ASSERT_TRUE(link);
    EXPECT_TRUE(unit.sends(kDroppedPort)) << "what runs behind a queue that reports finds skb->cb clear";
    EXPECT_EQ(drain().size(), 1U);
}

} // namespace
} // namespace filterd::test
