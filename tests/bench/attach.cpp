// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Ten thousand units, both directions: attaching all, and finding all after a restart.

#include "measure.hpp"

#include <bpf/bpf.h>

#include <filesystem>
#include <string>

namespace filterd::bench {

namespace {

constexpr int kRounds = 5;
constexpr int kUnits = 10000;
constexpr const char* kPeerPins = "/sys/fs/bpf/filterd-bench-peer";

using Groups = std::vector<std::unique_ptr<Group>>;

// Does what the least careful loop does: link and pin.
double linkAndPin(const Groups& groups, int program) {
    std::filesystem::create_directory(kPeerPins);
    const double time = processorTimeOf([&] {
        for (const auto& group : groups) {
            const auto directory = group->open();
            for (const auto type : {BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS}) {
                const UniqueFd link(::bpf_link_create(program, directory.get(), type, nullptr));
                const auto pin = std::string(kPeerPins) + "/" + std::to_string(group->cgroup().id.value) +
                                 "-" + std::to_string(type);
                if (!link || ::bpf_obj_pin(link.get(), pin.c_str()) < 0)
                    fatal("attach and pin");
            }
        }
    });
    std::filesystem::remove_all(kPeerPins);
    return time;
}

} // namespace

Rows measureAttachments() {
    Daemon daemon;
    Groups groups;
    for (int i = 0; i < kUnits; ++i)
        groups.push_back(std::make_unique<Group>("bench-" + std::to_string(i) + ".service"));
    const auto filter = daemon.load("trivial", "trivial");
    const auto program = daemon.program(filter);
    const std::vector<Queue> queues{{Direction::Ingress, {filter}, false, Fallback::Refuse},
                                    {Direction::Egress, {filter}, false, Fallback::Refuse}};
    for (const auto& queue : queues)
        static_cast<void>(need(daemon.kernel().buildQueue(queue)));

    std::vector<double> adoptions;
    const auto ours = [&] {
        const double time = processorTimeOf([&] {
            for (const auto& group : groups)
                for (const auto& queue : queues)
                    need(daemon.kernel().attachQueue(group->cgroup(), queue.direction, idOf(queue)));
        });
        adoptions.push_back(processorTimeOf([&] { daemon.restart(); }));
        for (const auto& group : groups)
            for (const auto& queue : queues)
                need(daemon.kernel().detachQueue({group->cgroup().id, queue.direction}));
        return time;
    };
    const auto times = inTurns(kRounds, ours, [&] { return linkAndPin(groups, program.get()); });
    return {
        {"10,000 units x 2: attach all", "ms", times.ours / 1e6, times.peer / 1e6, 3.0},
        {"10,000 units x 2: adopt after a restart", "ms", median(adoptions) / 1e6, times.peer / 1e6, 3.0}};
}

} // namespace filterd::bench
