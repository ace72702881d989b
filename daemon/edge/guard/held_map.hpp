// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads the guard's map of the cgroups that are held.

#include "ports/guard_port.hpp"

#include <vector>

struct guard_hold;

namespace filterd {

class HeldMap {
  public:
    // Both descriptors are borrowed.
    HeldMap(int held, int managers) : held_(held), managers_(managers) {}

    // Costs a walk over the whole map.
    [[nodiscard]] Result<std::vector<Hold>> all() const;
    // Those of the cgroups that are held.
    [[nodiscard]] Result<std::vector<Hold>> find(const std::vector<CgroupId>& cgroups) const;

  private:
    [[nodiscard]] Hold holdOf(const guard_hold& value) const;
    [[nodiscard]] std::uint64_t lostUnitsOf(std::uint64_t manager) const;

    int held_;
    int managers_;
};

} // namespace filterd
