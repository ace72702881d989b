// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The guard's variable in the kernel, mapped.

#include "base/result.hpp"
#include "bpf/guard.h"

#include <filesystem>
#include <memory>
#include <sys/mman.h>

namespace filterd {

struct UnmapGuardState {
    void operator()(guard_state* state) const { ::munmap(state, sizeof(guard_state)); }
};
using GuardStatePtr = std::unique_ptr<guard_state, UnmapGuardState>;

[[nodiscard]] Result<GuardStatePtr> mapGuardState(const std::filesystem::path& pin);

// BPF programs change it at the same time.
template<typename T>
[[nodiscard]] T load(const T& value) {
    return __atomic_load_n(&value, __ATOMIC_SEQ_CST);
}

template<typename T>
void store(T& value, T wanted) {
    __atomic_store_n(&value, wanted, __ATOMIC_SEQ_CST);
}

} // namespace filterd
