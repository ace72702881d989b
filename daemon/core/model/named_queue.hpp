// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A queue and its name, which is computed once and carried from then on.

#include "core/model/model.hpp"

#include <memory>
#include <utility>

namespace filterd {

class NamedQueue {
  public:
    explicit NamedQueue(Queue queue)
        : id_(idOf(queue)), queue_(std::make_shared<const Queue>(std::move(queue))) {}

    [[nodiscard]] const QueueId& id() const { return id_; }
    [[nodiscard]] const Queue& operator*() const { return *queue_; }
    [[nodiscard]] const Queue* operator->() const { return queue_.get(); }
    bool operator==(const NamedQueue& other) const { return id_ == other.id_; }

  private:
    QueueId id_;
    std::shared_ptr<const Queue> queue_; // copies share it
};

} // namespace filterd
