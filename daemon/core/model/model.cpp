// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/model.hpp"

#include "base/digest.hpp"

namespace filterd {

QueueId idOf(const Queue& queue) {
    constexpr std::size_t kIdLength = 32;
    std::string text(toString(queue.direction));
    if (queue.hold)
        text += "\nhold";
    if (queue.fallback == Fallback::Refuse)
        text += "\nrefuse";
    if (queue.logOnly)
        text += "\nlog-only";
    if (queue.logged > 0)
        text += "\nlogged " + std::to_string(queue.logged);
    for (const auto& filter : queue.filters)
        text += "\n" + filter.name.text() + " " + filter.digest;
    return {sha256(text).substr(0, kIdLength)};
}

} // namespace filterd
