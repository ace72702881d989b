// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The kernel's kinds of maps by the names that bpftool uses.

#include <cstdint>
#include <string>

namespace filterd {

[[nodiscard]] std::string mapKind(std::uint32_t type);

} // namespace filterd
