// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/ebpf/fuse.hpp"
#include "edge/bpf/programs/program_loader.hpp"
#include "guard_bed.hpp"
#include "tests/shared/plain_intake.hpp"

#include <bpf/bpf.h>

#include <stdexcept>

namespace filterd::bed {

struct QueueFactory::Parts {
    test::PlainIntake intake;
    bpf::ProgramLoader loader;
    std::map<std::string, FilterProgram> filters;

    const FilterProgram& filter(const std::string& name) {
        const auto known = filters.find(name);
        if (known != filters.end())
            return known->second;
        auto loaded = intake.load(
            {FilterName::parse(name).value(), ElfObject{testObject("guard_filters.bpf.o")}, name});
        if (!loaded)
            throw std::runtime_error(loaded.error().message);
        return filters.emplace(name, std::move(*loaded)).first->second;
    }

    UniqueFd fuseQueue(const std::vector<std::string>& names, Direction direction,
                       std::optional<int> gateArray) {
        FuseInput input;
        std::vector<int> maps;
        input.direction = direction;
        input.inlines = true; // as the daemon's queues
        for (const auto& name : names) {
            const auto& program = filter(name);
            if (!permits(program.direction, direction))
                continue;
            FusePart part;
            part.instructions = program.instructions;
            for (const auto& map : program.maps) {
                part.maps.push_back(static_cast<std::uint32_t>(maps.size()));
                maps.push_back(map.fd.get());
            }
            input.congestion |=
                direction == Direction::Egress && program.direction == FilterDirection::Egress;
            input.order.push_back(input.parts.size());
            input.parts.push_back(std::move(part));
        }
        if (gateArray) {
            input.gateArray = static_cast<std::uint32_t>(maps.size());
            maps.push_back(*gateArray);
        }
        const auto fused = fuse(input);
        if (!fused)
            throw std::runtime_error(fused.error().message);
        auto loaded = loader.load({"test_queue", "GPL", direction, *fused, maps});
        if (!loaded)
            throw std::runtime_error(loaded.error().message);
        return std::move(*loaded);
    }
};

QueueFactory::QueueFactory() : parts_(std::make_unique<Parts>()) {}
QueueFactory::~QueueFactory() = default;

TestQueue QueueFactory::make(const GuardPort& guard, const std::vector<std::string>& filters) {
    TestQueue queue;
    for (const auto direction : kDirections) {
        const auto index = indexOf(direction);
        queue.attached[index] = parts_->fuseQueue(filters, direction, std::nullopt);
        queue.interim[index] = parts_->fuseQueue(filters, direction, guard.queueArray(direction));
    }
    return queue;
}

int QueueFactory::program(const std::string& filter) { return parts_->filter(filter).program.get(); }

Links attachQueue(const TestQueue& queue, int cgroup) {
    Links links;
    for (const auto direction : kDirections) {
        const auto type = direction == Direction::Ingress ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS;
        links.emplace_back(bpf_link_create(queue.attachedProgram(direction), cgroup, type, nullptr));
        if (!links.back())
            return {};
    }
    return links;
}

} // namespace filterd::bed
