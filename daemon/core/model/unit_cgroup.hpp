// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A unit and the cgroup that it has now.

#include "core/model/model.hpp"

#include <string>

namespace filterd {

struct UnitCgroup {
    std::string unit; // "nginx.service", or "user@1000.service/app.service"
    Cgroup cgroup;
    bool operator==(const UnitCgroup&) const = default;
};

} // namespace filterd
