// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds whose queue, and which filter of it, has dropped a packet: in our words, whatever has happened to
// both meanwhile.

#include "app/commit/enforcement.hpp"

#include <string>

namespace filterd {

class DropOrigins {
  public:
    explicit DropOrigins(const Enforcement& inForce) : inForce_(inForce) {}

    [[nodiscard]] DropOrigin of(const DropReport& report) const;

  private:
    // Empty if the unit cannot be known any more. `filter` decided, none while the unit was held.
    [[nodiscard]] std::string unitOf(const DropReport& report, const std::string& filter) const;
    [[nodiscard]] const Queue* queueAt(CgroupId cgroup, const DropReport& report) const;

    const Enforcement& inForce_;
};

} // namespace filterd
