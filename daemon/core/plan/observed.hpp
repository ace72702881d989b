// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Holds what is in the kernel, as far as it is ours: it is read at start (I5), then kept true by the
// executor.

#include "core/facts/facts.hpp"

#include <map>
#include <set>

namespace filterd {

class Observed {
  public:
    Observed() = default;
    explicit Observed(const KernelState& state);

    void addFilter(const FilterInstance& filter) { filters_.insert(filter); }
    void removeFilter(const FilterInstance& filter) { filters_.erase(filter); }
    void addQueue(const QueueId& queue, const QueueFacts& facts) { queues_[queue] = facts; }
    void removeQueue(const QueueId& queue) { queues_.erase(queue); }
    void attach(AttachPoint point, const QueueId& queue);
    void detach(AttachPoint point);
    void markReleased(AttachPoint point);

    [[nodiscard]] const std::set<FilterInstance>& filters() const { return filters_; }
    [[nodiscard]] const std::map<QueueId, QueueFacts>& queues() const { return queues_; }
    [[nodiscard]] const std::map<AttachPoint, Attachment>& attachments() const { return attachments_; }
    [[nodiscard]] const std::set<AttachPoint>& released() const { return released_; }
    [[nodiscard]] const Attachment* at(AttachPoint point) const;
    [[nodiscard]] bool isAttachedAnywhere(const QueueId& queue) const { return uses_.contains(queue); }

  private:
    void unuse(const QueueId& queue);

    std::set<FilterInstance> filters_;
    std::map<QueueId, QueueFacts> queues_;
    std::map<AttachPoint, Attachment> attachments_;
    std::set<AttachPoint> released_;
    std::map<QueueId, std::size_t> uses_; // attachments per queue
};

} // namespace filterd
