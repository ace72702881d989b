// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Derives what a resolution wants of units, whether they have it, and what the outside sees of that.

#include "app/reconcile/executor.hpp"
#include "app/reconcile/observer.hpp"
#include "app/reconcile/present_units.hpp"
#include "app/reconcile/resolution.hpp"

#include <map>
#include <vector>

namespace filterd {

using AttachFailures = std::map<AttachPoint, Error>;

[[nodiscard]] DesiredUnit desire(const Resolution& resolution, const UnitCgroup& unit);

// Returns what is wanted of every unit that is there.
[[nodiscard]] Desired desireAll(const Resolution& resolution, const PresentUnits& present,
                                const Observed& observed);

// Returns whether every queue that the unit is to have is attached.
[[nodiscard]] bool isInForce(const DesiredUnit& unit, const Observed& observed);

// Returns whether no rule of an administrator has the queue.
[[nodiscard]] bool isOfUsersAlone(const Resolution& resolution, const NamedQueue& queue);

// Fails if what a user has added to the administrator's rule is not in force although all else is.
[[nodiscard]] Status checkCombined(const Resolution& resolution, const std::string& unit);

void noteFailures(const std::vector<FailedAction>& failures, AttachFailures& noted);

[[nodiscard]] UnitView viewOf(const UnitCgroup& unit, const Rule& rule, const RuleQueues& wanted,
                              const Observed& observed, const AttachFailures& failures);

} // namespace filterd
