// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The units that there are now, whatever files say: those that have a cgroup, and those of mounts.

#include "core/units/known_units.hpp"
#include "ports/ports.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace filterd {

// The tree must outlive the answer.
[[nodiscard]] RunningUnits runningUnits(CgroupTree& tree,
                                        const std::filesystem::path& mountinfo = "/proc/self/mountinfo");
// The same where no tree is open; empty if there is no cgroup2.
[[nodiscard]] RunningUnits runningUnits();

// The name of the .mount unit of a path, as systemd escapes it: /srv/my-data is srv-my\x2ddata.mount.
[[nodiscard]] std::string mountUnitOf(std::string_view path);

} // namespace filterd
