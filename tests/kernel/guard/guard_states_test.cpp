// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// A guarded slice and a guarded service in it, each unguarded, held, attached or both, and all kinds of
// packets.
#include "guard_scenes.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <sys/socket.h>

namespace filterd::bed {

Links Scenes::bringInto(State state, const std::string& cgroup, int number) {
    Links links;
    if (state == State::AttachedAndHeld)
        links = attachQueue(queue(number), openCgroup(cgroup).get());
    if (state == State::Attached)
        attachAndRelease(cgroup, number, links);
    return links;
}

Tally Scenes::stateTraffic(State slice, State service) {
    const std::string outer = "app.slice";
    const std::string unit = outer + "/web1.service";
    const std::array dropped{slice != State::Unguarded, service != State::Unguarded};
    setRules({{"app.slice", dropped[0] ? 1 : 0}, {"web*.service", dropped[1] ? 2 : 0}});
    for (const auto& cgroup : {outer, unit, unit + "/sub", unit + "/sub/deep"})
        makeCgroup(cgroup);
    const auto sliceLinks = bringInto(slice, outer, 1);
    const auto serviceLinks = bringInto(service, unit, 2);
    // A program of the unit's own, which writes all over skb->cb.
    const UniqueFd scribbler(bpf_link_create(factory().program("scribble"), openCgroup(unit + "/sub").get(),
                                             BPF_CGROUP_INET_EGRESS, nullptr));
    Tally tally;
    for (const auto& cgroup : {unit, unit + "/sub/deep"})
        for (const auto family : kFamilies)
            for (const auto flow : kFlows) {
                const Traffic traffic{cgroup, flow, family, dropped};
                tally += sendDatagrams(traffic, packetsPerSituation());
                tally += exchangeStreams(traffic);
            }
    for (const auto& cgroup : {unit + "/sub/deep", unit + "/sub", unit, outer})
        removeCgroup(cgroup);
    return tally;
}

Tally Scenes::vanishedUnit(const KeeperOptions& options) {
    setRules({{"gone.service", 1}});
    Keeper keeper(guard(), queuesBySlot(), options);
    const auto blocked = udpReceiver(Family::V4, kDroppedPorts[0]);
    const auto open = udpReceiver(Family::V4, kOpenPort);
    makeCgroup("gone.service");
    enterCgroup("gone.service");
    const auto sender = udpSocket(Family::V4);
    enterCgroup(kOutside);
    removeCgroup("gone.service");
    keeper.step(1000);
    Tally tally;
    for (int packet = 0; packet < packetsPerSituation(); ++packet) {
        sendTo(sender.get(), Family::V4, kDroppedPorts[0]);
        tally.leaked += receiveAll(blocked.get());
        const bool sent = sendTo(sender.get(), Family::V4, kOpenPort);
        ++(sent && eventually([&] { return receiveAll(open.get()) == 1; }) ? tally.passed : tally.lost);
    }
    return tally;
}

namespace {

using GuardStates = Scenes;

TEST_F(GuardStates, EveryPacketPassesTheQueuesOfAllLevels) {
    open();
    Tally tally;
    for (const auto slice : kStates)
        for (const auto service : kStates) {
            SCOPED_TRACE("slice " + std::to_string(static_cast<int>(slice)) + ", service " +
                         std::to_string(static_cast<int>(service)));
            const auto seen = stateTraffic(slice, service);
            EXPECT_EQ(seen.leaked, 0);
            EXPECT_EQ(seen.lost, 0);
            tally += seen;
        }
    std::printf("blocked %ld, passed %ld\n", tally.blocked, tally.passed);
    EXPECT_GT(tally.blocked, 0);
    EXPECT_GT(tally.passed, tally.blocked / 2);
    EXPECT_TRUE(eventually([&] { return guard().counters().held == 0; }));
    EXPECT_EQ(guard().counters().missingQueues, 0U);
}

TEST_F(GuardStates, AVanishedUnitIsHeldUntilItsLastSocketIsClosed) { // I4
    open();
    const auto tally = vanishedUnit({});
    EXPECT_EQ(tally.leaked, 0);
    EXPECT_EQ(tally.lost, 0);
    EXPECT_TRUE(eventually([&] { return guard().counters().held == 0; }))
        << "the kernel forgets it by itself";
}

TEST_F(GuardStates, ASocketOfAVanishedChildIsFilteredThroughTheHandOver) {
    open();
    setRules({{"unit.service", 1}});
    makeCgroup("unit.service");
    makeCgroup("unit.service/sub");
    const auto blocked = udpReceiver(Family::V4, kDroppedPorts[0]);
    const auto permitted = udpReceiver(Family::V4, kOpenPort);
    enterCgroup("unit.service/sub");
    const auto sender = udpSocket(Family::V4);
    enterCgroup(kOutside);
    removeCgroup("unit.service/sub");
    const auto judge = [&] {
        sendTo(sender.get(), Family::V4, kDroppedPorts[0]);
        EXPECT_TRUE(sendTo(sender.get(), Family::V4, kOpenPort));
        EXPECT_TRUE(eventually([&] { return receiveAll(permitted.get()) == 1; }));
        EXPECT_EQ(receiveAll(blocked.get()), 0);
    };
    judge();
    Links links;
    attachAndRelease("unit.service", 1, links);
    judge();
}

// Returns what the sender is told, and whether the packet arrived.
std::pair<int, int> outcomeOf(const std::string& cgroup, int port) {
    const auto receiver = udpReceiver(Family::V4, port);
    enterCgroup(cgroup);
    const auto sender = udpSocket(Family::V4);
    const int yes = 1;
    ::setsockopt(sender.get(), IPPROTO_IP, IP_RECVERR, &yes, sizeof yes);
    errno = 0;
    const bool sent = sendTo(sender.get(), Family::V4, port);
    const int told = sent ? 0 : errno;
    enterCgroup(kOutside);
    const int received =
        eventually([&] { return receiveAll(receiver.get()) == 1; }, std::chrono::milliseconds(20));
    return {told, received};
}

TEST_F(GuardStates, AHeldUnitsVerdictsAreThoseOfAnAttachedOne) {
    open();
    const std::array ports{9997, 9996, kOpenPort}; // drop and tell of congestion, pass and tell, pass
    setRules({{"attached.service", 3}, {"held.service", 3}, {"twice.slice", 2}, {"twice.service", 3}});
    for (const auto* cgroup :
         {"attached.service", "held.service", "twice.slice", "twice.slice/twice.service"})
        makeCgroup(cgroup);
    Links links;
    attachAndRelease("attached.service", 3, links);
    for (const int port : ports) {
        const auto wanted = outcomeOf("attached.service", port);
        EXPECT_EQ(wanted.second, port == 9997 ? 0 : 1);
        EXPECT_EQ(outcomeOf("held.service", port), wanted) << port;
        EXPECT_EQ(outcomeOf("twice.slice/twice.service", port), wanted) << port;
    }
    EXPECT_EQ(outcomeOf("twice.slice/twice.service", 9998).second, 0);
    EXPECT_EQ(outcomeOf("held.service", 9998).second, 1);
}

// A held level costs two of the kernel's 33 tail calls. What is deeper is cut off and never let through.
TEST_F(GuardStates, SixteenHeldLevelsAreJudgedAndMoreAreCutOff) {
    open();
    setRules({{"n*.slice", 1}});
    std::string path;
    std::vector<std::string> made;
    for (int depth = 1; depth <= 18; ++depth) {
        path += (depth > 1 ? "/n" : "n") + std::to_string(depth) + ".slice";
        makeCgroup(path);
        made.push_back(path);
        const auto blocked = udpReceiver(Family::V4, kDroppedPorts[0]);
        const auto permitted = udpReceiver(Family::V4, kOpenPort);
        enterCgroup(path);
        const auto sender = udpSocket(Family::V4);
        sendTo(sender.get(), Family::V4, kDroppedPorts[0]);
        const bool sent = sendTo(sender.get(), Family::V4, kOpenPort);
        enterCgroup(kOutside);
        EXPECT_EQ(sent && eventually([&] { return receiveAll(permitted.get()) == 1; }), depth <= 16) << depth;
        EXPECT_EQ(receiveAll(blocked.get()), 0) << depth;
    }
}

} // namespace
} // namespace filterd::bed
