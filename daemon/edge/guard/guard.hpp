// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The guard in this kernel (bpf/guard.bpf.c), pinned: it works on while no daemon runs (I1, I5).

#include "ports/guard_port.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace filterd {

struct GuardConfig {
    std::filesystem::path bpffs;       // filterd's directory on bpffs; it exists
    std::filesystem::path cgroupRoot;  // where cgroup2 is mounted
    std::span<const std::byte> object; // empty: the guard that this daemon carries
    unsigned revision = 0;             // 0: of the guard that this daemon carries
};

struct OpenedGuard {
    std::unique_ptr<GuardPort> guard; // none: this kernel cannot do it, see `support`
    GuardSupport support;
};

// Takes over the guard that is pinned, replacing its programs if they are of an older build; makes one if
// there is none. Attaches nothing that was not attached. Errors: a newer guard is in force, bpffs is
// unusable.
[[nodiscard]] Result<OpenedGuard> openGuard(const GuardConfig& config);

} // namespace filterd
