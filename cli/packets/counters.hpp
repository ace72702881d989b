// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Shows what a unit's queues have counted.

#include <filterd/filterd.hpp>

namespace filterd::cli {

void printCounters(const client::Counters& counters);

} // namespace filterd::cli
