// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// All that follows systemd on one connection. It must end before that connection does.

#include "edge/systemd/systemd_units.hpp"
#include "edge/systemd/unit_endings.hpp"

#include <utility>

namespace filterd {

struct SystemdFollower {
    SystemdFollower(sdbus::IConnection& connection, SystemdUnits::Callbacks ofUnits,
                    UnitEndings::Callbacks ofEndings)
        : units(connection, std::move(ofUnits)), endings(connection, std::move(ofEndings)) {}

    SystemdUnits units;
    UnitEndings endings;
};

} // namespace filterd
