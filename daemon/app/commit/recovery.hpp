// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Makes good what can be made good of an intent that was lost (I5).

#include "app/intent/intent.hpp"
#include "app/reconcile/kernel_queues.hpp"

#include <vector>

namespace filterd {

// Names and references are lost, filtering is not: every filter is kept, and what filters a cgroup that no
// file covers becomes a rule.
[[nodiscard]] Intent recoverIntent(const LoadedFilters& loaded, const std::vector<InForce>& inForce,
                                   const std::vector<Rule>& files, const Error& why);

} // namespace filterd
