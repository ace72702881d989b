// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Writes what a queue is made of as text beside its program, which does not tell: the rule that wanted it may
// be lost.

#include "base/result.hpp"
#include "core/model/model.hpp"

#include <string>

namespace filterd::bpf {

[[nodiscard]] std::string encodeQueue(const Queue& queue);
// BadConfiguration for anything that encodeQueue() did not write for the queue of this id.
[[nodiscard]] Result<Queue> decodeQueue(const std::string& text, const QueueId& id);

} // namespace filterd::bpf
