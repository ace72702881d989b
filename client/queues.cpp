// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The client's calls about rules: whole queues, and single filters in them.

#include "client/convert.hpp"
#include "client/session.hpp"

namespace filterd::client {

Result<void> Client::setQueue(const std::string& unit, const Queues& queues) noexcept {
    return guarded(
        [&] { session_->manager().SetQueue(unit, queues.ingress, queues.egress, busOptions(queues)); });
}

Result<void> Client::setQueue(const std::string& unit, const Queues& queues,
                              std::chrono::seconds confirmWithin) noexcept {
    return guarded([&] {
        session_->manager().SetQueue(unit, queues.ingress, queues.egress, busOptions(queues, confirmWithin));
    });
}

Result<void> Client::confirmQueue(const std::string& unit) noexcept {
    return guarded([&] { session_->manager().ConfirmQueue(unit); });
}

Result<std::string> Client::attachFilter(const std::string& unit, Direction direction,
                                         const std::string& filter, const Place& place,
                                         std::chrono::seconds confirmWithin) noexcept {
    return guarded([&] {
        return session_->manager().AttachFilter(unit, nameOf(direction), filter,
                                                busOptions(place, confirmWithin));
    });
}

Result<std::string> Client::detachFilter(const std::string& unit, Direction direction,
                                         const std::string& filter,
                                         std::chrono::seconds confirmWithin) noexcept {
    return guarded([&] {
        return session_->manager().DetachFilter(unit, nameOf(direction), filter,
                                                busOptions(Place{}, confirmWithin));
    });
}

Result<void> Client::resetQueue(const std::string& unit) noexcept {
    return guarded([&] { session_->manager().ResetQueue(unit); });
}

Result<std::vector<Rule>> Client::rules() const noexcept {
    return guarded([&] { return rulesOf(session_->manager().ListQueues()); });
}

} // namespace filterd::client
