// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what an object says of its program and its parameters by tags in its type information: see FILTERD_…
// in bpf/types.h.

#include "base/result.hpp"
#include "core/value/value_type.hpp"

#include <bpf/btf.h>

#include <string>

namespace filterd::bpf {

// Errors of both: InvalidObject, of a tag "filterd:…" that means nothing.

// Returns whether the program does what it is meant for only where it stands in both queues of a unit.
[[nodiscard]] Result<bool> needsBothDirections(const btf* types, const std::string& program);

// Tags of a variable, of which this is the type.
[[nodiscard]] Status applyTags(const btf* types, __u32 variable, ValueType& type);

} // namespace filterd::bpf
