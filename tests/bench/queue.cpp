// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What a queue costs a packet: as one program, and as the same filters attached one by one.

#include "measure.hpp"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

namespace filterd::bench {

namespace {

constexpr int kRounds = 31;
constexpr int kPackets = 3000;

// Sends datagrams to itself from inside the group.
class Traffic {
  public:
    explicit Traffic(const Group& group) {
        enterCgroup(group.cgroup().path);
        socket_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        enterCgroup("");
        self_.sin_family = AF_INET;
        self_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof self_;
        if (::bind(socket_.get(), address(), size) < 0 ||
            ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&self_), &size) < 0)
            fatal("bind");
        run(20 * kPackets);
    }

    // Nanoseconds per packet.
    double run(int packets = kPackets) {
        std::array<char, 64> bytes{};
        return processorTimeOf([&] {
                   for (int i = 0; i < packets; ++i)
                       if (::sendto(socket_.get(), bytes.data(), 32, 0, address(), sizeof self_) != 32 ||
                           ::recv(socket_.get(), bytes.data(), bytes.size(), 0) != 32)
                           fatal("send a packet to oneself");
               }) /
               packets;
    }

  private:
    [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&self_); }

    UniqueFd socket_;
    sockaddr_in self_{};
};

struct Case {
    const char* object;
    std::size_t filters;
    double budget;
};

// For CPUs with mitigated returns (docs/speed.md).
constexpr std::array kCases{Case{"trivial", 8, 0.45}, Case{"port", 8, 0.65}, Case{"port", 64, 0.55}};

class QueueBench {
  public:
    QueueBench() : group_("filterd-bench"), traffic_(group_), directory_(group_.open()) {}

    Row measure(const Case& what) {
        std::vector<FilterInstance> filters;
        for (std::size_t i = 0; i < what.filters; ++i)
            filters.push_back(daemon_.load(std::string(what.object) + "-" + std::to_string(i), what.object));
        const Queue queue{Direction::Egress, filters, false, Fallback::Refuse};
        const auto facts = need(daemon_.kernel().buildQueue(queue));
        std::vector<double> ours;
        std::vector<double> peer;
        for (int round = 0; round < kRounds; ++round) {
            const double before = traffic_.run();
            ours.push_back(fused(queue));
            const double between = traffic_.run();
            peer.push_back(oneByOne(filters));
            const double after = traffic_.run();
            ours.back() -= (before + between) / 2;
            peer.back() -= (between + after) / 2;
        }
        const std::string name =
            "queue of " + std::to_string(what.filters) + " " + what.object + " filters, per packet";
        if (!facts.modeReason.empty())
            std::fprintf(stderr, "%s: %s\n", name.c_str(), facts.modeReason.c_str());
        return {name, "ns", median(ours), median(peer), what.budget};
    }

  private:
    double fused(const Queue& queue) {
        const AttachPoint point{group_.cgroup().id, Direction::Egress};
        need(daemon_.kernel().attachQueue(group_.cgroup(), Direction::Egress, idOf(queue)));
        traffic_.run(kPackets / 10);
        const double time = traffic_.run();
        need(daemon_.kernel().detachQueue(point));
        return time;
    }

    double oneByOne(const std::vector<FilterInstance>& filters) {
        std::vector<UniqueFd> links;
        for (const auto& filter : filters)
            if (links.emplace_back(::bpf_link_create(daemon_.program(filter).get(), directory_.get(),
                                                     BPF_CGROUP_INET_EGRESS, nullptr));
                !links.back())
                fatal("attach a filter");
        traffic_.run(kPackets / 10);
        return traffic_.run();
    }

    Daemon daemon_;
    Group group_;
    Traffic traffic_;
    UniqueFd directory_;
};

void stayOnOneCpu() {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(::sched_getcpu(), &cpus);
    if (::sched_setaffinity(0, sizeof cpus, &cpus) < 0)
        fatal("stay on one CPU");
}

} // namespace

Rows measureQueues() {
    cpu_set_t before;
    ::sched_getaffinity(0, sizeof before, &before);
    stayOnOneCpu();
    Rows rows;
    for (const auto& what : kCases)
        rows.push_back(QueueBench().measure(what));
    ::sched_setaffinity(0, sizeof before, &before);
    return rows;
}

} // namespace filterd::bench
