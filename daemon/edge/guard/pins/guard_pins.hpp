// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Where the guard is pinned, below filterd's directory on bpffs:
//
//   guard/v1/           one directory per layout (bpf/guard.h); complete, or not there
//     link_*            what makes it work; there only while a rule exists (I7)
//     every map and program by its name, and `state`
//   guard/new/          a guard that is being made
//
// Needs no libbpf and no daemon: it is the way back in (I8).

#include "base/result.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace filterd {

struct GuardLink {
    const char* pin;
    const char* program;
    bool tracepoint;
};

// In the order of attaching: the kernel holds nothing that the gate would not judge.
inline constexpr std::array<GuardLink, 4> kGuardLinks{{{"link_gate_ingress", "gate_ingress", false},
                                                       {"link_gate_egress", "gate_egress", false},
                                                       {"link_release", "on_release", true},
                                                       {"link_mkdir", "on_mkdir", true}}};

inline constexpr std::array kGuardPrograms{"on_mkdir",     "on_release",  "gate_ingress", "gate_egress",
                                           "pass_ingress", "pass_egress", "release"};

struct GuardMap {
    const char* name; // in the object
    const char* pin;
};

inline constexpr std::array<GuardMap, 9> kGuardMaps{{{"held", "held"},
                                                     {"managers", "managers"},
                                                     {"spill", "spill"},
                                                     {"queues_ingress", "queues_ingress"},
                                                     {"queues_egress", "queues_egress"},
                                                     {"rules", "rules"},
                                                     {"wide_globs", "wide_globs"},
                                                     {"events", "events"},
                                                     {".bss", "state"}}};

// Ends the name of what is to take the place of a pin, by rename over it (I4).
inline constexpr const char* kNewSuffix = "_new";

[[nodiscard]] std::filesystem::path guardDirectory(const std::filesystem::path& bpffs);
[[nodiscard]] std::filesystem::path layoutDirectory(const std::filesystem::path& bpffs, unsigned layout);

// The layouts that are pinned, lowest first.
[[nodiscard]] std::vector<unsigned> pinnedLayouts(const std::filesystem::path& bpffs);

[[nodiscard]] bool isPinned(const std::filesystem::path& path);

// Detaches the guard of one directory by unlinking its links; maps and programs stay for the next start.
[[nodiscard]] Status unlinkGuard(const std::filesystem::path& directory);

// Detaches every guard below `bpffs`. Nothing pinned is success.
[[nodiscard]] Status detachGuards(const std::filesystem::path& bpffs);

// Detaches it and removes all pins and the directory.
[[nodiscard]] Status removeGuard(const std::filesystem::path& directory);

} // namespace filterd
