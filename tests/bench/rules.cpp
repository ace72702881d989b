// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What a filter of rules costs a packet that none of them matches, beside one trivial program.

#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "measure.hpp"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <sys/socket.h>

namespace filterd::bench {

namespace {

constexpr int kRounds = 61;
constexpr int kPackets = 3000;

// Ports, ranges, networks and hosts, as they stand beside each other in real lists.
std::string expression(std::size_t i) {
    const std::string number = std::to_string(i);
    switch (i % 5) {
    case 0:
        return "udp dst port " + std::to_string(3000 + i);
    case 1:
        return "src net 10." + number + ".0.0/16";
    case 2:
        return "udp port " + std::to_string(4000 + i);
    case 3:
        return "host 192.168.1." + number + " and tcp port 443";
    default:
        return "portrange " + std::to_string(10000 + 10 * i) + "-" + std::to_string(10005 + 10 * i);
    }
}

packet::PacketRules rulesOf(std::size_t count) {
    packet::PacketRules rules;
    rules.byDefault = packet::Verdict::Allow;
    for (std::size_t i = 0; i < count; ++i)
        rules.rules.push_back({packet::Verdict::Deny, expression(i)});
    return rules;
}

class RulesBench {
  public:
    RulesBench() : group_("filterd-bench-rules"), directory_(group_.open()) {
        enterCgroup(group_.cgroup().path);
        socket_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        enterCgroup("");
        self_.sin_family = AF_INET;
        self_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        self_.sin_port = htons(2000);
        if (::bind(socket_.get(), address(), sizeof self_) < 0)
            fatal("bind");
        packets(10 * kPackets);
    }

    Row measure(std::size_t count, double budget) {
        const std::string name = "rules-" + std::to_string(count);
        auto ours = need(intake_.load({need(FilterName::parse(name)), rulesOf(count), ""}));
        auto peer =
            need(intake_.load({need(FilterName::parse("trivial")), ElfObject{objectBytes("trivial")}, ""}));
        const auto added = inTurns(
            kRounds, [&] { return costOf(ours.program.get()); }, [&] { return costOf(peer.program.get()); });
        return {std::to_string(count) + " rules that do not match, per packet", "ns", added.ours, added.peer,
                budget};
    }

  private:
    // Nanoseconds that the program adds to a packet.
    double costOf(int program) {
        const double before = packets(kPackets);
        const UniqueFd link(::bpf_link_create(program, directory_.get(), BPF_CGROUP_INET_EGRESS, nullptr));
        if (!link)
            fatal("attach");
        packets(kPackets / 10);
        return packets(kPackets) - before;
    }

    double packets(int count) {
        std::array<char, 64> bytes{};
        return processorTimeOf([&] {
                   for (int i = 0; i < count; ++i)
                       if (::sendto(socket_.get(), bytes.data(), 32, 0, address(), sizeof self_) != 32 ||
                           ::recv(socket_.get(), bytes.data(), bytes.size(), 0) != 32)
                           fatal("send a packet to oneself");
               }) /
               count;
    }
    [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&self_); }

    PcapExpressions expressions_;
    FilterIntake intake_{expressions_};
    Group group_;
    UniqueFd directory_;
    UniqueFd socket_;
    sockaddr_in self_{};
};

} // namespace

Rows measureRules() {
    RulesBench bench;
    return {bench.measure(8, 1.7), bench.measure(32, 2.2), bench.measure(128, 3.0)};
}

} // namespace filterd::bench
