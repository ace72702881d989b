// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "guard_scenes.hpp"

namespace filterd::bed {

using namespace std::chrono_literals;

namespace {

constexpr int kStreamBytes = 20000;
constexpr int kRefusedMilliseconds = 4;
constexpr int kAcceptedMilliseconds = 3000;
constexpr std::array kPorts{kDroppedPorts[0], kDroppedPorts[1], kOpenPort};

bool isDropped(const Traffic& traffic, std::size_t port) {
    return port < traffic.dropped.size() && traffic.dropped.at(port);
}
std::string receiverCgroup(const Traffic& traffic) {
    return traffic.flow == Flow::Egress ? kOutside : traffic.unit;
}
std::string senderCgroup(const Traffic& traffic) {
    return traffic.flow == Flow::Ingress ? kOutside : traffic.unit;
}

} // namespace

Tally& Tally::operator+=(const Tally& other) {
    blocked += other.blocked;
    passed += other.passed;
    leaked += other.leaked;
    lost += other.lost;
    return *this;
}

int packetsPerSituation() { return fromEnvironment("FILTERD_TEST_PACKETS", 10); }

Flood::Flood(const std::string& cgroup)
    : dropped_(udpReceiver(Family::V4, kDroppedPorts[0])), open_(udpReceiver(Family::V4, kOpenPort)),
      child_(startInside(cgroup, [this] { run(); })) {}

Flood::~Flood() {
    if (child_ > 0)
        endChild(child_);
}

void Flood::run() {
    const auto sender = udpSocket(Family::V4);
    while (!counts_->stop) {
        sendTo(sender.get(), Family::V4, kDroppedPorts[0]);
        counts_->leaked += receiveAll(dropped_.get());
        counts_->blocked++;
        const bool sent = sendTo(sender.get(), Family::V4, kOpenPort);
        const bool arrived = sent && eventually([&] { return receiveAll(open_.get()) == 1; }, 2s);
        (arrived ? counts_->passed : counts_->lost)++;
    }
}

Tally Flood::stop() {
    counts_->stop = true;
    EXPECT_TRUE(awaitChild(child_));
    child_ = 0;
    counts_->leaked += receiveAll(dropped_.get());
    return {counts_->blocked - counts_->leaked, counts_->passed, counts_->leaked, counts_->lost};
}

bool Flood::awaitPackets(long more) {
    const long wanted = counts_->blocked + more;
    return eventually([&] { return counts_->blocked >= wanted; });
}

Tally sendDatagrams(const Traffic& traffic, int packets) {
    Tally tally;
    std::array<UniqueFd, kPorts.size()> receivers;
    enterCgroup(receiverCgroup(traffic));
    for (std::size_t i = 0; i < kPorts.size(); ++i)
        receivers.at(i) = udpReceiver(traffic.family, kPorts.at(i));
    enterCgroup(senderCgroup(traffic));
    const auto sender = udpSocket(traffic.family);
    for (int packet = 0; packet < packets; ++packet)
        for (std::size_t i = 0; i < kPorts.size(); ++i) {
            const bool sent = sendTo(sender.get(), traffic.family, kPorts.at(i));
            const int receiver = receivers.at(i).get();
            if (isDropped(traffic, i))
                tally.leaked += receiveAll(receiver);
            else if (sent && eventually([&] { return receiveAll(receiver) == 1; }, 2s))
                ++tally.passed;
            else
                ++tally.lost;
        }
    for (std::size_t i = 0; i < kDroppedPorts.size(); ++i)
        if (isDropped(traffic, i)) {
            tally.leaked += receiveAll(receivers.at(i).get());
            tally.blocked += packets;
        }
    tally.blocked -= tally.leaked;
    enterCgroup(kOutside);
    return tally;
}

Tally exchangeStreams(const Traffic& traffic) {
    Tally tally;
    for (std::size_t i = 0; i < kPorts.size(); ++i) {
        const bool dropped = isDropped(traffic, i);
        enterCgroup(receiverCgroup(traffic));
        const auto listener = tcpListener(traffic.family, kPorts.at(i));
        enterCgroup(senderCgroup(traffic));
        const int outcome = tcpExchange(traffic.family, kPorts.at(i), listener.get(),
                                        dropped ? kRefusedMilliseconds : kAcceptedMilliseconds, kStreamBytes);
        if (dropped)
            ++(outcome == 0 ? tally.blocked : tally.leaked);
        else
            ++(outcome == 1 ? tally.passed : tally.lost);
    }
    enterCgroup(kOutside);
    return tally;
}

} // namespace filterd::bed
