// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Loads the filters that filterd assembles itself.

#include "ports/ports.hpp"

namespace filterd::bpf {

// Errors: InvalidObject for an unknown one, NoSuchParameter, InvalidArgument, KernelRefused.
[[nodiscard]] Result<FilterProgram> loadBuiltin(const BuiltinFilter& wanted, const ObjectRequest& request);

// Refuses what loadBuiltin() refuses, as far as that needs no kernel.
[[nodiscard]] Result<ObjectOutline> inspectBuiltin(const BuiltinFilter& wanted, const ObjectRequest& request);

} // namespace filterd::bpf
