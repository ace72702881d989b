// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/guard_state.hpp"

#include "kernel/bpf_calls.hpp"

#include <cerrno>

namespace filterd {

Result<GuardStatePtr> mapGuardState(const std::filesystem::path& pin) {
    const auto fd = bpf::openPin(pin);
    if (!fd)
        return failure(fd.error());
    void* memory = ::mmap(nullptr, sizeof(guard_state), PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0);
    if (memory == MAP_FAILED)
        return failure(systemError("map " + pin.string(), errno));
    return GuardStatePtr(static_cast<guard_state*>(memory));
}

} // namespace filterd
