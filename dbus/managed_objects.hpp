// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// GetManagedObjects for everybody who asks at the same time. The answer tells of every object and takes as
// long as hundreds of other calls: it is made once for all who wait, and handed out to one of them per turn
// of the event loop. So whoever floods a daemon with this question delays nobody else for longer than one
// answer takes.

#include "dbus/bridge.hpp"

namespace filterd::bus {

class ManagedObjects {
  public:
    // For the object manager at this path, which must have been added. To be destroyed before the connection.
    ManagedObjects(sdbus::IConnection& connection, sd_event* loop, const ObjectPath& path);
    ~ManagedObjects();
    ManagedObjects(const ManagedObjects&) = delete;
    ManagedObjects& operator=(const ManagedObjects&) = delete;

  private:
    class ReplyCoalescer;
    std::unique_ptr<ReplyCoalescer> coalescer_;
};

} // namespace filterd::bus
