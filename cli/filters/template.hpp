// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// bpf/template.bpf.c, as it was when filterctl was built.

#include <cstddef>
#include <span>

namespace filterd::cli {

[[nodiscard]] std::span<const std::byte> filterTemplate();

} // namespace filterd::cli
