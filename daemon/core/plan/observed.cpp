// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/plan/observed.hpp"

namespace filterd {

Observed::Observed(const KernelState& state) : queues_(state.queues) {
    for (const auto& filter : state.filters)
        filters_.insert(filter.instance);
    filters_.insert(state.unpinned.begin(), state.unpinned.end());
    for (const auto& [point, attachment] : state.attachments) {
        attach(point, attachment.queue);
        if (attachment.released)
            markReleased(point);
    }
}

void Observed::attach(AttachPoint point, const QueueId& queue) {
    detach(point);
    attachments_[point] = {queue, false};
    ++uses_[queue];
}

void Observed::detach(AttachPoint point) {
    const auto found = attachments_.find(point);
    if (found == attachments_.end())
        return;
    unuse(found->second.queue);
    released_.erase(point);
    attachments_.erase(found);
}

void Observed::markReleased(AttachPoint point) {
    const auto found = attachments_.find(point);
    if (found == attachments_.end())
        return;
    found->second.released = true;
    released_.insert(point);
}

const Attachment* Observed::at(AttachPoint point) const {
    const auto found = attachments_.find(point);
    return found == attachments_.end() ? nullptr : &found->second;
}

void Observed::unuse(const QueueId& queue) {
    const auto count = uses_.find(queue);
    if (--count->second == 0)
        uses_.erase(count);
}

} // namespace filterd
