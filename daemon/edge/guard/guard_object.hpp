// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The guard's BPF object, carried inside the daemon.

#include <cstddef>
#include <span>

namespace filterd {

[[nodiscard]] std::span<const std::byte> guardObject();

} // namespace filterd
