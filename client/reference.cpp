// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/calls.hpp"

namespace filterd::client {

Reference::Reference(std::shared_ptr<Session> session, std::string filter) noexcept
    : session_(std::move(session)), filter_(std::move(filter)) {}

Reference::Reference(Reference&& other) noexcept = default;

Reference& Reference::operator=(Reference&& other) noexcept {
    if (this != &other) {
        static_cast<void>(release());
        session_ = std::move(other.session_);
        filter_ = std::move(other.filter_);
    }
    return *this;
}

Reference::~Reference() { static_cast<void>(release()); }

Result<void> Reference::release() noexcept {
    if (!session_)
        return {};
    return guarded([session = std::move(session_), this] { wait(*session, Calls::release(filter_)); });
}

} // namespace filterd::client
