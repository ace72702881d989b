// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The verbs for filters and their parameters.

#include "cli/verb/verb.hpp"

namespace filterd::cli {

void addFilterVerbs(CLI::App& app, Invocation& invocation); // load, unload, acquire, release
void addNewVerb(CLI::App& app, Invocation& invocation);
void addParameterVerbs(CLI::App& app, Invocation& invocation); // set, get, map
void addTuneVerb(CLI::App& app, Invocation& invocation);
void addMtuVerb(CLI::App& app, Invocation& invocation);

} // namespace filterd::cli
