// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What a unit's packets and connections see of the daemon's work: nothing.
#include "guard_scenes.hpp"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace filterd::bed {
namespace {

using namespace std::chrono_literals;

class GuardHandover : public Scenes {
  protected:
    // Lets the queue's two links run another queue, as the daemon changes a queue.
    static void update(const Links& links, const TestQueue& queue) {
        for (const auto direction : kDirections)
            ASSERT_EQ(bpf_link_update(links.at(indexOf(direction)).get(), queue.attachedProgram(direction),
                                      nullptr),
                      0);
    }
    void fillSlot(const TestQueue& queue) {
        for (const auto direction : kDirections)
            ASSERT_TRUE(
                guard().setQueueProgram(slot(1), direction, queue.interim.at(indexOf(direction)).get()));
    }
};

// A connection between a process in a unit and one outside, used without a pause.
struct Connection {
    struct Counts {
        std::atomic<bool> stop;
        std::atomic<long> trips, resent;
    };

    static long resentBy(int socket) {
        tcp_info info{};
        socklen_t size = sizeof info;
        return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_total_retrans : 1;
    }

    static bool pass(int from, int to) {
        std::array<char, 200> data{};
        constexpr auto kSize = static_cast<ssize_t>(data.size());
        pollfd ready{to, POLLIN, 0};
        return ::send(from, data.data(), data.size(), MSG_NOSIGNAL) == kSize &&
               ::poll(&ready, 1, 5000) == 1 && ::recv(to, data.data(), data.size(), MSG_WAITALL) == kSize;
    }

    // In the unit; the other end was connected or accepted outside.
    static void use(int inside, int outside, Counts& counts) {
        while (!counts.stop) {
            ASSERT_TRUE(pass(inside, outside) && pass(outside, inside)) << "after " << counts.trips;
            counts.trips++;
        }
        counts.resent = resentBy(inside) + resentBy(outside);
    }
};

sockaddr_in6 loopback(Family family, int port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    address.sin6_addr = in6addr_loopback;
    if (family == Family::DualStack)
        ::inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr);
    return address;
}

// The client is in the unit, or the server is; IPv6, or IPv4 on IPv6 sockets.
void converse(Family family, bool client, const std::string& unit, Connection::Counts& counts) {
    enterCgroup(client ? kOutside : unit);
    const auto listener = tcpListener(family, kOpenPort);
    enterCgroup(client ? unit : kOutside);
    const UniqueFd connecting(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = loopback(family, kOpenPort);
    ASSERT_EQ(::connect(connecting.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(accepted);
    Connection::use(client ? connecting.get() : accepted.get(), client ? accepted.get() : connecting.get(),
                    counts);
}

TEST_F(GuardHandover, ConnectionsLiveThroughIt) {
    open();
    setRules({{"tcp-*.service", 1}});
    int number = 0;
    for (const auto family : {Family::V6, Family::DualStack})
        for (const bool client : {true, false}) {
            const auto unit = "tcp-" + std::to_string(++number) + ".service";
            makeCgroup(unit);
            Shared<Connection::Counts> counts;
            const pid_t child = startChild([&] { converse(family, client, unit, *counts); });
            const auto goesOn = [&] {
                const long before = counts->trips;
                return eventually([&] { return counts->trips > before + 20; });
            };
            EXPECT_TRUE(goesOn()) << "held";
            Links links = attachQueue(queue(1), openCgroup(unit).get());
            EXPECT_TRUE(goesOn()) << "held and attached";
            grace();
            EXPECT_TRUE(*guard().release(idOf(unit)));
            EXPECT_TRUE(goesOn()) << "attached";
            update(links, queue(2));
            EXPECT_TRUE(goesOn()) << "changed";
            counts->stop = true;
            EXPECT_TRUE(awaitChild(child));
            EXPECT_EQ(counts->resent, 0) << "segments were lost";
        }
}

TEST_F(GuardHandover, AQueueThatChangesNeverLetsThroughWhatBothDrop) { // I1
    open();
    const auto longer = factory().make(guard(), {"not_9998", "private_cb", "scribble", "not_9999"});
    setRules({{"web.service", 1}});
    makeCgroup("web.service");
    Flood flood("web.service");
    const int changes = 20 * packetsPerSituation();
    for (int change = 0; change < changes; ++change) // held: the queue is in the slot
        fillSlot(change % 2 == 0 ? longer : queue(1));
    EXPECT_TRUE(flood.awaitPackets(10));
    Links links;
    attachAndRelease("web.service", 1, links);
    for (int change = 0; change < changes; ++change)
        update(links, change % 2 == 0 ? longer : queue(1));
    EXPECT_TRUE(flood.awaitPackets(10));
    const auto tally = flood.stop();
    EXPECT_EQ(tally.leaked, 0);
    EXPECT_EQ(tally.lost, 0);
    EXPECT_GT(tally.blocked, 20);
}

// A unit whose rule changes while it is held keeps the queue that it was held with.
TEST_F(GuardHandover, RulesThatChangeDoNotLetAHeldUnitGo) {
    open();
    setRules({{"web.service", 1}});
    makeCgroup("web.service");
    Flood flood("web.service");
    for (int change = 0; change < 20; ++change)
        setRules({{change % 2 == 0 ? "other.service" : "web.service", 1 + change % 2}});
    EXPECT_TRUE(flood.awaitPackets(10));
    EXPECT_EQ(heldQueue("web.service"), 1);
    const auto tally = flood.stop();
    EXPECT_EQ(tally.leaked, 0);
    EXPECT_EQ(tally.lost, 0);
}

} // namespace
} // namespace filterd::bed
