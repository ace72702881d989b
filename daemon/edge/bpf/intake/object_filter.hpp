// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Loads the programs of ELF objects, by libbpf.

#include "ports/ports.hpp"

namespace filterd::bpf {

// A section name cgroup_skb/ingress or cgroup_skb/egress binds the direction; cgroup/skb, a name that no
// program type claims, or none binds nothing. A program that binds nothing is loaded so that it serves both
// directions, unless it returns a congestion bit, which makes it an egress filter.
[[nodiscard]] Result<FilterProgram> loadObject(const ElfObject& object, const ObjectRequest& request);

// Refuses what loadObject() refuses, as far as that needs no kernel.
[[nodiscard]] Result<ObjectOutline> inspectObject(const ElfObject& object, const ObjectRequest& request);

} // namespace filterd::bpf
