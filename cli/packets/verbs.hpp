// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The verbs that show what becomes of packets.

#include "cli/verb/verb.hpp"

namespace filterd::cli {

void addMonitorVerb(CLI::App& app, Invocation& invocation);
void addWhyVerb(CLI::App& app, Invocation& invocation);
void addCaptureVerb(CLI::App& app, Invocation& invocation);
void addWatchVerb(CLI::App& app, Invocation& invocation);
void addMetricsVerb(CLI::App& app, Invocation& invocation);
void addTestVerb(CLI::App& app, Invocation& invocation);

} // namespace filterd::cli
