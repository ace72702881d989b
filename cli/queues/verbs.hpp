// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The verbs for queues of units.

#include "cli/verb/verb.hpp"

namespace filterd::cli {

void addQueueVerbs(CLI::App& app, Invocation& invocation);  // queue, confirm
void addAttachVerbs(CLI::App& app, Invocation& invocation); // attach, detach
void addUnitVerbs(CLI::App& app, Invocation& invocation);   // ensure

} // namespace filterd::cli
