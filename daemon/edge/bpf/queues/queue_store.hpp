// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The built queues and their pins. A queue's pins appear and vanish at once, by the rename of their
// directory.

#include "edge/bpf/queues/queue_builder.hpp"

#include <map>
#include <optional>
#include <span>

namespace filterd::bpf {

struct StoredQueue {
    QueueFacts facts;
    Direction direction = Direction::Ingress;
    // Fused: a link that runs another queue can take this one's program only if both use the same counters.
    std::uint32_t countersId = 0;
    std::vector<std::uint32_t> separate; // links mode: the ids of the filters' programs in order
    std::optional<Queue> contents;       // none: its pin was lost
};

class QueueStore {
  public:
    QueueStore(PinTree pins, std::filesystem::path records)
        : pins_(std::move(pins)), records_(std::move(records)) {}

    [[nodiscard]] Status adopt(std::uint32_t countersId);
    [[nodiscard]] std::map<QueueId, QueueFacts> facts() const;

    // Returns the contents of the queues of which they are known.
    [[nodiscard]] std::map<QueueId, Queue> contents() const;

    [[nodiscard]] Result<QueueFacts> add(const Queue& queue, const BuiltQueue& built,
                                         std::uint32_t countersId);
    [[nodiscard]] Status remove(const QueueId& id);

    [[nodiscard]] Result<const StoredQueue*> find(const QueueId& id) const;
    // The queue that a link's program, or the programs of a set of links, run; nothing if none of ours.
    [[nodiscard]] const QueueId* queueOf(std::uint32_t program) const;
    [[nodiscard]] const QueueId* queueOf(Direction direction, std::span<const std::uint32_t> programs) const;

    [[nodiscard]] Result<UniqueFd> openProgram(const QueueId& id) const;
    [[nodiscard]] Result<std::vector<UniqueFd>> openSeparate(const QueueId& id) const;

  private:
    Result<StoredQueue> adoptQueue(const QueueId& id, std::uint32_t countersId) const;
    Status pin(const Queue& queue, const BuiltQueue& built, const std::filesystem::path& directory) const;
    std::filesystem::path noteOf(const QueueId& id) const;
    std::string separatePin(Direction direction, std::size_t index) const;

    PinTree pins_;
    std::filesystem::path records_;
    std::map<QueueId, StoredQueue> queues_;
    std::map<std::uint32_t, QueueId> byProgram_;
};

} // namespace filterd::bpf
