// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Sockets that are opened for a service, but not in its cgroup: the service's own rule does not see what
// comes and goes through them.

#include "core/rules/rules.hpp"
#include "core/units/unit_relations.hpp"

#include <string>
#include <vector>

namespace filterd {

// The sockets of one service of the system that no rule covers, if the service has a queue. A socket that
// nothing starts, and that does not run, is not handed to anybody.
[[nodiscard]] std::vector<std::string> unguardedSockets(const UnitRelations& relations,
                                                        const std::string& service, const Rules& rules,
                                                        const RunningUnitsOnDemand& running);

// Tells of one service, of the system or of a user's manager, which other unit's packets are its own, and are
// not covered. One sentence each.
[[nodiscard]] std::vector<std::string> unseenSockets(const UnitRelations& relations,
                                                     const std::string& service, const Rules& rules,
                                                     const RunningUnitsOnDemand& running);

// One sentence for each service and rule that has such sockets, and for each rule about sockets of a user's
// manager. Each begins with the source of its rule.
[[nodiscard]] std::vector<std::string> socketWarnings(const UnitRelations& relations, const Rules& rules,
                                                      const RunningUnitsOnDemand& running);

} // namespace filterd
