// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The links that put queues into force. They are pinned, and no descriptor is kept: ten thousand units would
// exhaust them. A link's pin is removed only by detach() or after another one is in force (I1, I4).

#include "edge/bpf/queues/queue_store.hpp"
#include "kernel/pins.hpp"
#include "ports/ports.hpp"

#include <array>
#include <map>

namespace filterd::bpf {

class LinkStore {
  public:
    LinkStore(PinTree pins, const QueueStore& queues, CgroupTree& cgroups)
        : pins_(std::move(pins)), queues_(queues), cgroups_(cgroups) {}

    [[nodiscard]] Status adopt();
    [[nodiscard]] std::map<AttachPoint, Attachment> attachments() const;
    [[nodiscard]] bool isAttached(AttachPoint point) const { return links_.contains(point); }
    [[nodiscard]] std::optional<QueueId> queueAt(AttachPoint point) const;

    // Returns whether a link's pin of this name should be there, and is not.
    [[nodiscard]] bool misses(const std::string& pin) const;

    // Puts a queue into force, over the one that is in force there if there is one.
    [[nodiscard]] Status put(const Cgroup& cgroup, Direction direction, const QueueId& queue);
    [[nodiscard]] Status detach(AttachPoint point);
    [[nodiscard]] std::vector<AttachPoint> released() const;
    // Lets go of the programs of queues that end.
    void forgetPrograms() { programs_ = {}; }

  private:
    // Remembers for each direction the program that was put into force last: thousands of units have the
    // same.
    struct KnownProgram {
        std::uint32_t id = 0;
        UniqueFd fd;
    };
    // The links that are pinned for one attach point.
    struct Links {
        QueueId queue; // empty: none of the queues that we know
        bool fused = false;
        bool released = false;
        std::vector<std::string> separate; // names of the pins in links mode
    };
    struct Found;

    Result<int> programOf(Direction direction, const QueueId& queue, std::uint32_t id);
    Status putFused(const Cgroup& cgroup, Direction direction, const QueueId& queue, Links& links);
    Status putSeparate(const Cgroup& cgroup, Direction direction, const QueueId& queue, Links& links);
    Status updateFused(const std::filesystem::path& pin, int program, const StoredQueue& from,
                       const StoredQueue& to);
    Status attachAt(const Cgroup& cgroup, Direction direction, int program, const std::filesystem::path& pin);
    static Status pinOver(int link, const std::filesystem::path& pin);
    Result<std::vector<std::string>> attachAll(const Cgroup& cgroup, Direction direction,
                                               const std::vector<UniqueFd>& programs, const Links& before);
    Status removeSeparate(Links& links);
    bool wasReleased(AttachPoint point, const Links& links) const;
    std::filesystem::path fusedPin(AttachPoint point) const;

    PinTree pins_;
    const QueueStore& queues_;
    CgroupTree& cgroups_;
    std::map<AttachPoint, Links> links_;
    std::array<KnownProgram, kDirections.size()> programs_;
};

} // namespace filterd::bpf
