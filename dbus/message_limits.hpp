// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Refuses calls of users whose arguments are too many or too long, before anything is made of them: a
// dictionary of a million entries would take seconds and gigabytes to read, and nobody has asked yet whether
// its sender may call at all. Refuses every call that has a key twice in a dictionary.

#include "dbus/bridge.hpp"

namespace filterd::bus {

class MessageLimits {
  public:
    // To be destroyed before the connection.
    explicit MessageLimits(sdbus::IConnection& connection);
    ~MessageLimits();
    MessageLimits(const MessageLimits&) = delete;
    MessageLimits& operator=(const MessageLimits&) = delete;

  private:
    class Filter;
    std::unique_ptr<Filter> filter_;
};

} // namespace filterd::bus
