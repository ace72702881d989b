// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The BPF object of the reporter of drops, carried inside the daemon.

#include <cstddef>
#include <span>

namespace filterd::bpf {

[[nodiscard]] std::span<const std::byte> dropsObject();

} // namespace filterd::bpf
